/** The calls of one worker: requests that its handlers send over its connection. */
import { IdMap } from '../../core/collections/id-map.ts';
import type { CallParent } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { ClientAllowance } from '../broker/client-limits.ts';
import type { Origin, RouterRequest } from '../broker/request.ts';
import type { Worker } from '../broker/worker.ts';

/** Sends the reply to a call. */
export type SendReply = (id: number, generation: number, reply: ReplyMessage) => void;

/** A call as the broker sees it. */
class Call implements Origin {
  request: RouterRequest | undefined;

  /**
   * @param client stands for all calls of the worker at the depth: queues treat them as one client.
   */
  constructor(
    private readonly calls: PeerCalls,
    readonly worker: Worker,
    readonly client: object,
    readonly depth: number,
    readonly parent: RouterRequest | undefined,
    readonly id: number,
    readonly generation: number,
  ) {}

  settle(_request: RouterRequest, reply: ReplyMessage): void {
    this.calls.settled(this, reply);
  }
}

export class PeerCalls {
  private readonly calls = new IdMap<Call>();
  private readonly clients: object[] = [];

  constructor(
    private readonly broker: Broker,
    private readonly allowance: ClientAllowance,
    private readonly send: SendReply,
  ) {}

  /** Submits a call, or rejects it if the worker exceeds a limit. */
  start(worker: Worker, id: number, generation: number, message: RequestMessage, from: CallParent): void {
    const { broker } = this;
    const now = turnNow();
    const refusal = this.allowance.admit(this.calls.size, now);
    if (refusal !== undefined) return this.send(id, generation, refusal);
    const parent = from.generation === 0 ? undefined : broker.held(worker, from.id, from.generation);
    const client = (this.clients[from.depth] ??= { depth: from.depth });
    const call = new Call(this, worker, client, from.depth, parent, id, generation);
    // Another call of the slot was settled without its reply having arrived yet, or the worker lies.
    const before = this.calls.get(id);
    if (before !== undefined) this.cancelCall(before);
    this.calls.set(id, call);
    call.request = broker.submitCall(worker, call, message, now);
  }

  /** The handler no longer waits for a call. */
  cancel(id: number, generation: number, why: CancelReason): void {
    const call = this.calls.get(id);
    if (call?.generation === generation) this.cancelCall(call, why);
  }

  /** Cancels all calls: the router no longer counts the worker. */
  cancelAll(): void {
    for (const call of [...this.calls.values()]) {
      const dispatched = (call.request?.attempts ?? 0) > 0;
      this.cancelCall(call);
      const text = 'the router no longer counts the worker that sent the call';
      this.send(call.id, call.generation, failure('CANCELLED', text, { dispatched }));
    }
  }

  /** Handles the reply to a call. */
  settled(call: Call, reply: ReplyMessage): void {
    // Chunks before the last are ignored: handlers do not support streams yet.
    if (reply.more) return;
    this.remove(call);
    this.send(call.id, call.generation, reply);
  }

  private cancelCall(call: Call, why: CancelReason = 'cancelled'): void {
    this.remove(call);
    if (call.request !== undefined) this.broker.cancel(call.request, why);
  }

  private remove(call: Call): void {
    if (this.calls.get(call.id) === call) this.calls.delete(call.id);
    if (call.parent !== undefined) this.broker.callEnded(call.worker, call.parent);
  }
}
