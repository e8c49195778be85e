/**
 * Bare zeromq.js sockets with as few frames as possible: a single frame with a four-byte slot and
 * the body.
 */
import { Dealer } from 'zeromq';
import { Sender } from './sender.ts';
import type { Wire } from './wire.ts';

const SLOT_BYTES = 4;
/** Bodies of at least this many bytes are sent in a frame of their own, without copying. */
const OWN_FRAME = 16 * 1024;

export const bare: Wire = {
  connectClient(endpoint) {
    const socket = connect(endpoint);
    const sender = new Sender(socket);
    const waiting: ((ok: boolean) => void)[] = [];
    void (async () => {
      for await (const [head] of socket) if (head !== undefined) waiting[head.readUInt32LE(0)]?.(true);
    })();
    return {
      request(slot, _eventName, body, _timeout, done) {
        waiting[slot] = done;
        const head = Buffer.allocUnsafe(SLOT_BYTES);
        head.writeUInt32LE(slot, 0);
        sender.send(frames(head, body));
      },
    };
  },

  connectWorker(endpoint, answer) {
    const socket = connect(endpoint);
    const sender = new Sender(socket);
    void (async () => {
      for await (const [client, head] of socket) {
        if (client === undefined || head === undefined) continue;
        const slot = head.subarray(0, SLOT_BYTES);
        answer(head.subarray(SLOT_BYTES), (body) => sender.send([client, ...frames(slot, body)]));
      }
    })();
  },
};

function connect(endpoint: string): Dealer {
  const socket = new Dealer();
  socket.connect(endpoint);
  return socket;
}

function frames(head: Buffer, body: Buffer): Buffer[] {
  return body.length < OWN_FRAME ? [Buffer.concat([head, body])] : [head, body];
}
