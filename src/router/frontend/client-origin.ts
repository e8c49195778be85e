/** A client as the broker sees it: the origin of its requests, which sends their replies. */

import { IdMap } from '../../core/collections/id-map.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { ClientPeer } from '../../transport/link/client-peer.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { Origin, RouterRequest } from '../broker/request.ts';
import type { ReplyDrop } from '../broker/stats.ts';

const WITHDRAWN = 'the client took the request back';

export class ClientOrigin implements Origin {
  /**
   * Requests that are not settled, by their slot at the client; those without a slot under negative
   * numbers.
   */
  private readonly requests = new IdMap<RouterRequest>();
  private requestsWithoutSlot = 0;

  constructor(
    private readonly peer: ClientPeer,
    private readonly broker: Broker,
  ) {}

  /** Number of requests that are not settled. */
  get size(): number {
    return this.requests.size;
  }

  /** Whether the client has no requests in flight. */
  get idle(): boolean {
    return this.requests.size === 0;
  }

  submit(message: RequestMessage, id: number, generation: number, envelope: Buffer[] | undefined): void {
    const key = generation === 0 ? --this.requestsWithoutSlot : id;
    const request = this.broker.submit(message, this, turnNow(), key, generation, envelope);
    if (request.state !== 'settled') this.requests.set(key, request);
  }

  cancel(id: number, generation: number, why: CancelReason): void {
    const request = this.requests.get(id);
    if (request === undefined || request.refB !== generation) return;
    this.requests.delete(id);
    if (why === 'withdrawn') this.giveBack(request);
    else this.broker.cancel(request, why);
  }

  /** Cancels a request, and tells the client whether a worker may have it. */
  private giveBack(request: RouterRequest): void {
    const { attempts, message, refA: key, refB: generation, envelope } = request;
    this.broker.cancel(request);
    const reply = failure('CANCELLED', WITHDRAWN, { dispatched: attempts > 0 });
    this.peer.reply(message.eventName, reply, key, generation, envelope);
  }

  /** Handles a chunk of a body. @returns why it was dropped; undefined if it was not. */
  chunk(id: number, generation: number, body: Buffer, end: boolean): ReplyDrop | undefined {
    const request = this.requests.get(id);
    // The request was settled before the client knew.
    if (request === undefined || request.refB !== generation) return undefined;
    return this.broker.streams.body(request, body, end, turnNow());
  }

  /** The client takes more of a reply. */
  grant(id: number, generation: number, bytes: number): void {
    const request = this.requests.get(id);
    if (request?.refB === generation) this.broker.streams.grantReply(request, bytes, turnNow());
  }

  /** Cancels all requests because the client is gone. */
  cancelAll(): void {
    for (const request of this.requests.values()) this.broker.cancel(request);
    this.requests.clear();
  }

  window({ refA: key, refB: generation }: RouterRequest, bytes: number): void {
    this.peer.grant(key, generation, bytes);
  }

  settle(request: RouterRequest, reply: ReplyMessage): void {
    const { refA: key, refB: generation, envelope, message } = request;
    if (!reply.more && this.requests.get(key) === request) this.requests.delete(key);
    this.peer.reply(message.eventName, reply, key, generation, envelope);
  }
}
