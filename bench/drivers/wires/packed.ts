/**
 * Packed messages on the product's own sockets and channels, without request table and deadlines.
 */

import type * as MessageModule from '../../../src/core/messages/message.ts';
import type * as ConnectionModule from '../../../src/transport/addressing/connection.ts';
import type * as ChannelModule from '../../../src/transport/link/peer-channel.ts';
import type * as SocketModule from '../../../src/transport/socket/message-socket.ts';
import type * as ControlModule from '../../../src/wire/control.ts';
import type * as PackedModule from '../../../src/wire/packed.ts';
import { built } from '../built.ts';
import type { Wire } from './wire.ts';

const { toConnection } = await built<typeof ConnectionModule>('transport/addressing/connection');
const { PeerChannel } = await built<typeof ChannelModule>('transport/link/peer-channel');
const { MessageSocket } = await built<typeof SocketModule>('transport/socket/message-socket');
const { NO_BYTES } = await built<typeof MessageModule>('core/messages/message');
const { controlFrames } = await built<typeof ControlModule>('wire/control');
const { isPacked, readPacked } = await built<typeof PackedModule>('wire/packed');

function open(
  endpoint: string,
  name: string,
  sink: Partial<PackedModule.PackedSink>,
): ChannelModule.PeerChannel {
  const complete: PackedModule.PackedSink = {
    packedRequest: unexpected,
    packedReply: unexpected,
    packedCancel: unexpected,
    ...sink,
  };
  const socket = new MessageSocket(
    { type: 'dealer', routingId: `${name}-${process.pid}` },
    {
      message(frames) {
        if (frames[0] !== undefined && isPacked(frames[0])) readPacked(frames, 0, complete);
      },
    },
  );
  const owner = { channelGone: unexpected, channelStalled: unexpected, channelWritable: () => undefined };
  const channel = new PeerChannel({
    socket,
    identity: undefined,
    owner,
    source: { kind: 'client', node: name },
  });
  socket.connect(toConnection(endpoint));
  return channel;
}

function unexpected(): void {
  throw new Error('this does not happen in a benchmark');
}

export const packed: Wire = {
  connectClient(endpoint) {
    const waiting: ((ok: boolean) => void)[] = [];
    const channel = open(endpoint, 'client', {
      packedReply: (id, _generation, { code }) => waiting[id]?.(code === ''),
    });
    return {
      request(slot, eventName, body, timeout, done) {
        waiting[slot] = done;
        const fixed = { timeLeft: timeout, idempotent: true, requestId: '', extras: NO_BYTES };
        channel.addRequest(slot, 1, { eventName, body, ...fixed });
      },
    };
  },

  connectWorker(endpoint, answer, events, concurrency) {
    const fixed = { status: 200, code: '', dispatched: true, more: false, contentType: '', extras: NO_BYTES };
    const channel = open(endpoint, 'worker', {
      packedRequest: (id, generation, { body }) =>
        answer(body, (reply) => channel.addReply(id, generation, { ...fixed, body: reply })),
    });
    const hello = { v: 1, pack: 1, concurrency, events: events.length === 0 ? undefined : events } as const;
    channel.post(controlFrames('$hello', hello));
  },
};
