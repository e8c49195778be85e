/**
 * Handles requests of clients: passes requests for workers to the broker and answers built-in
 * events.
 */

import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { isReserved } from '../../core/messages/event-name.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { ClientFrontendOwner, ClientPeer } from '../../transport/link/client-peer.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import { ClientAllowance, type ClientLimits } from '../broker/client-limits.ts';
import { BUILTIN_PREFIX, type BuiltinEvents, type DeferredReply } from './builtin-events.ts';
import { ClientOrigin } from './client-origin.ts';

/** State of a client: its origin in the broker, and its deferred replies. */
interface ClientState {
  readonly origin: ClientOrigin;
  readonly allowance: ClientAllowance;
  readonly held: Map<DeferredReply, { readonly id: number; readonly generation: number }>;
}

/** Callbacks of the client handler. */
export interface ClientHandlerOwner {
  /** Something came from a client: the broker may have something to do earlier than before. */
  rearmTimer(): void;
  /** A message of a client arrived. */
  peerActive(key: string): void;
}

export class ClientHandler implements ClientFrontendOwner {
  constructor(
    private readonly broker: Broker,
    private readonly builtins: BuiltinEvents,
    private readonly owner: ClientHandlerOwner,
    private readonly limits: Required<ClientLimits>,
  ) {}

  request(
    peer: ClientPeer,
    message: RequestMessage,
    id: number,
    generation: number,
    envelope: Buffer[] | undefined,
  ): void {
    const state = this.stateOf(peer);
    this.owner.peerActive(peer.node);
    const refusal = state.allowance.admit(state.origin.size + state.held.size, turnNow());
    if (refusal !== undefined) {
      peer.reply(message.eventName, refusal, id, generation, envelope);
      return;
    }
    if (isReserved(message.eventName)) {
      this.reserved(peer, state, message, id, generation, envelope);
      return;
    }
    state.origin.submit(message, id, generation, envelope);
    this.owner.rearmTimer();
  }

  cancel(peer: ClientPeer, id: number, generation: number, why: CancelReason): void {
    const { origin, held } = this.stateOf(peer);
    origin.cancel(id, generation, why);
    for (const [answer, address] of held) {
      if (address.id !== id || address.generation !== generation) continue;
      held.delete(answer);
      answer.cancel();
    }
  }

  chunk(peer: ClientPeer, id: number, generation: number, body: Buffer, end: boolean): void {
    const drop = this.stateOf(peer).origin.chunk(id, generation, body, end);
    if (drop !== undefined) peer.dropped(drop);
    this.owner.rearmTimer();
  }

  window(peer: ClientPeer, id: number, generation: number, bytes: number): void {
    this.stateOf(peer).origin.grant(id, generation, bytes);
  }

  clientLeft(peer: ClientPeer): void {
    const { origin, held } = this.stateOf(peer);
    origin.cancelAll();
    for (const answer of held.keys()) answer.cancel();
    held.clear();
  }

  idle(peer: ClientPeer): boolean {
    const { origin, held } = this.stateOf(peer);
    return origin.idle && held.size === 0;
  }

  private stateOf(peer: ClientPeer): ClientState {
    peer.state ??= {
      origin: new ClientOrigin(peer, this.broker),
      allowance: new ClientAllowance(this.limits, turnNow()),
      held: new Map(),
    } satisfies ClientState;
    return peer.state as ClientState;
  }

  /** Answers a built-in event, or rejects another reserved name. */
  private reserved(
    peer: ClientPeer,
    { held }: ClientState,
    message: RequestMessage,
    id: number,
    generation: number,
    envelope: Buffer[] | undefined,
  ): void {
    const { eventName } = message;
    if (!eventName.startsWith(BUILTIN_PREFIX)) {
      const refusal = failure('MALFORMED_MESSAGE', 'event names that start with $ are reserved');
      peer.reply(eventName, refusal, id, generation, envelope);
      return;
    }
    const settle = (reply: ReplyMessage, answered: DeferredReply | undefined): void => {
      if (answered !== undefined) held.delete(answered);
      peer.reply(eventName, reply, id, generation, envelope);
    };
    const answer = this.builtins.handle(message, settle, {
      client: peer.node,
      key: peer.keyName,
      keyed: peer.authenticated,
    });
    if (answer !== undefined) held.set(answer, { id, generation });
  }
}
