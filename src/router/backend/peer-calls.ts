/** The calls of one worker: requests that its handlers send over its connection. */
import { IdMap } from '../../core/collections/id-map.ts';
import type { CallParent } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { ClientAllowance } from '../broker/client-limits.ts';
import type { Origin, RouterRequest } from '../broker/request.ts';
import type { ReplyDrop } from '../broker/stats.ts';
import type { Worker } from '../broker/worker.ts';

/** The worker that calls: it receives what happens to its calls. */
export interface CallPort {
  /** Takes the reply to a call, or a chunk of it. */
  callReply(id: number, generation: number, reply: ReplyMessage): void;
  /** The callee takes `bytes` more of the body of a call. */
  callWindow(id: number, generation: number, bytes: number): void;
}

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

  window(_request: RouterRequest, bytes: number): void {
    this.calls.granted(this, bytes);
  }
}

export class PeerCalls {
  private readonly calls = new IdMap<Call>();
  private readonly clients: object[] = [];

  constructor(
    private readonly broker: Broker,
    private readonly allowance: ClientAllowance,
    private readonly port: CallPort,
  ) {}

  /** Submits a call, or rejects it if the worker exceeds a limit. */
  start(worker: Worker, id: number, generation: number, message: RequestMessage, from: CallParent): void {
    const { broker } = this;
    const now = turnNow();
    const refusal = this.allowance.admit(this.calls.size, now);
    if (refusal !== undefined) return this.port.callReply(id, generation, refusal);
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

  /**
   * Handles a chunk of the body of a call.
   *
   * @returns why it was dropped; undefined if it was used, or the call has ended.
   */
  chunk(id: number, generation: number, body: Buffer, end: boolean): ReplyDrop | undefined {
    const request = this.requestOf(id, generation);
    return request && this.broker.streams.body(request, body, end, turnNow());
  }

  /** The caller takes `bytes` more of the reply to a call. */
  grant(id: number, generation: number, bytes: number): void {
    const request = this.requestOf(id, generation);
    if (request !== undefined) this.broker.streams.grantReply(request, bytes, turnNow());
  }

  /** Cancels all calls: the router no longer counts the worker. */
  cancelAll(): void {
    for (const call of [...this.calls.values()]) {
      const dispatched = (call.request?.attempts ?? 0) > 0;
      this.cancelCall(call);
      const text = 'the router no longer counts the worker that sent the call';
      this.port.callReply(call.id, call.generation, failure('CANCELLED', text, { dispatched }));
    }
  }

  /** Handles the reply to a call, a chunk of it, or a progress that the caller asked for. */
  settled(call: Call, reply: ReplyMessage): void {
    if (!reply.more) this.remove(call);
    this.port.callReply(call.id, call.generation, reply);
  }

  /** The worker that holds a call takes `bytes` more of its body. */
  granted({ id, generation }: Call, bytes: number): void {
    this.port.callWindow(id, generation, bytes);
  }

  private requestOf(id: number, generation: number): RouterRequest | undefined {
    const call = this.calls.get(id);
    return call?.generation === generation ? call.request : undefined;
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
