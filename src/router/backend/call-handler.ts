/** Takes calls of workers: requests that their handlers send over the connections to the backend. */
import { type CallParent, MAX_CALL_DEPTH } from '../../core/messages/calls.ts';
import { isReserved } from '../../core/messages/event-name.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { AuthenticatedPeer } from '../../transport/curve/authenticated-peer.ts';
import type { PeerChannel } from '../../transport/link/peer-channel.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import { ClientAllowance, type ClientLimits } from '../broker/client-limits.ts';
import type { Worker } from '../broker/worker.ts';
import { type CallPort, PeerCalls } from './peer-calls.ts';

/** Created once, because it answers workers that flood the socket. */
const TOO_MANY_UNREAD = failure('BUSY', 'the worker has too many unread messages');

/** A worker that calls. */
export interface CallingPeer extends CallPort {
  /** Undefined while the router has not accepted it. */
  readonly worker: Worker | undefined;
  readonly channel: PeerChannel;
  readonly authenticated: AuthenticatedPeer | undefined;
  /** Its calls; set with the first one. */
  calls: PeerCalls | undefined;
}

export class CallHandler {
  constructor(
    private readonly broker: Broker,
    private readonly limits: Required<ClientLimits>,
  ) {}

  /** Takes a call of a worker. The limits are those of a client. */
  request(
    peer: CallingPeer,
    id: number,
    generation: number,
    message: RequestMessage,
    parent: CallParent,
  ): void {
    const { worker } = peer;
    const refusal = refusalOf(peer, message.eventName, parent.depth);
    if (refusal !== undefined || worker === undefined) {
      peer.channel.addReply(id, generation, refusal ?? NOT_REGISTERED);
      return;
    }
    peer.calls ??= this.open(peer);
    peer.calls.start(worker, id, generation, message, parent);
  }

  /** Creates the calls of a worker. */
  open(port: CallPort): PeerCalls {
    return new PeerCalls(this.broker, new ClientAllowance(this.limits, turnNow()), port);
  }
}

const NOT_REGISTERED = failure('NOT_PERMITTED', 'the router has not accepted the worker that calls');

/** Why a worker may not call an event; undefined if it may. */
function refusalOf(
  { channel, authenticated }: CallingPeer,
  eventName: string,
  depth: number,
): ReplyMessage | undefined {
  if (channel.congested) return TOO_MANY_UNREAD;
  const refusal = callRefusal(eventName, depth);
  if (refusal !== undefined) return refusal;
  if (authenticated === undefined || authenticated.permissions.mayCall(eventName)) return undefined;
  const name = JSON.stringify(eventName);
  const text = `the key of ${authenticated.permissions.name} does not allow calling ${name}: \`calls\` of its allow list entry does not match the event`;
  return failure('NOT_PERMITTED', text);
}

/** Why no worker may make a call; undefined if some may. */
export function callRefusal(eventName: string, depth: number): ReplyMessage | undefined {
  if (isReserved(eventName)) {
    return failure(
      'NOT_PERMITTED',
      `a worker cannot call ${JSON.stringify(eventName)}: the name is reserved`,
    );
  }
  if (depth <= MAX_CALL_DEPTH) return undefined;
  return failure('LOOP', `the call is ${depth} calls deep; at most ${MAX_CALL_DEPTH} are allowed`);
}
