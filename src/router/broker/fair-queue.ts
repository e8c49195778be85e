/**
 * The queue of one event. Each client has a queue of its own and they are served in turn, so that a
 * flood from one client does not delay the others. Within a client queue, requests are served in
 * order of arrival, except late ones (`core/collections/serving-list.ts`). With a single client,
 * the cost is that of a FIFO.
 */

import { ServingList } from '../../core/collections/serving-list.ts';
import { isFresh } from '../../core/time/lateness.ts';
import { Slab } from './payload.ts';
import type { RouterRequest } from './request.ts';

/** Maximum number of client queues inspected per operation, which keeps every operation O(1). */
const MAX_INSPECTED = 32;

/** Requests of one client queued for one event. */
export class ClientQueue extends ServingList<RouterRequest> {
  bytes = 0;
  /** Neighbours in the ring of client queues; itself while it is the only one. */
  previous: ClientQueue = this;
  following: ClientQueue = this;

  constructor(
    readonly queue: FairQueue,
    public client: object,
  ) {
    super();
  }

  override next(now: number): RouterRequest | undefined {
    const { first } = this;
    // A request that was dispatched before keeps its position.
    return first?.worker === undefined ? super.next(now) : first;
  }

  /** Whether `next` is late and gives way to requests that are not. */
  isDeferred(next: RouterRequest): boolean {
    return this.head === undefined && next.worker === undefined;
  }

  /** The next or the newest request, if it has at least half of its time left. */
  fresh(now: number): RouterRequest | undefined {
    const next = this.next(now);
    if (next === undefined || isFresh(next, now)) return next;
    return this.last !== undefined && isFresh(this.last, now) ? this.last : undefined;
  }

  /** The request to evict first when there is no room. */
  get leastUrgent(): RouterRequest | undefined {
    const { passedOver, last } = this;
    return passedOver !== undefined && passedOver.worker === undefined ? passedOver : last;
  }
}

/** Requests queued for one event. Every operation is O(1). */
export class FairQueue {
  length = 0;
  bytes = 0;
  readonly slab = new Slab();
  /** The client queue whose turn it is. */
  private current: ClientQueue | undefined = undefined;
  /** Client queues by client; only while there is more than one. */
  private clientQueues: Map<object, ClientQueue> | undefined = undefined;
  /** The client queue that emptied last, kept for reuse. */
  private spare: ClientQueue | undefined = undefined;
  /** Client queues of calls; each holds calls of one depth. */
  private callQueues: Set<ClientQueue> | undefined = undefined;
  /** The client queue that was the longest when it last grew. */
  private longest: ClientQueue | undefined = undefined;

  push(request: RouterRequest): void {
    const clientQueue = this.clientQueueFor(request);
    clientQueue.push(request);
    this.entered(clientQueue, request);
  }

  /** Puts a request that was dispatched before at the front. */
  unshift(request: RouterRequest): void {
    const clientQueue = this.clientQueueFor(request);
    clientQueue.unshift(request);
    this.current = clientQueue;
    this.entered(clientQueue, request);
  }

  /** The first request of the client whose turn it is. */
  get first(): RouterRequest | undefined {
    return this.current?.first;
  }

  /**
   * The next request to serve: of the client whose turn it is or, if that one is late, of the next
   * client with a request that is not.
   */
  next(now: number): RouterRequest | undefined {
    const { current } = this;
    const first = current?.next(now);
    if (current === undefined || first === undefined || !current.isDeferred(first)) return first;
    let clientQueue = current.following;
    for (let looked = 1; clientQueue !== current && looked < MAX_INSPECTED; looked++) {
      const other = clientQueue.next(now);
      if (other !== undefined && !clientQueue.isDeferred(other)) return other;
      clientQueue = clientQueue.following;
    }
    return first;
  }

  /**
   * The first request in the ring of clients that has at least half of its time left, among the
   * queues inspected.
   */
  nextFresh(now: number): RouterRequest | undefined {
    let clientQueue = this.current;
    for (let looked = 0; clientQueue !== undefined && looked < MAX_INSPECTED; looked++) {
      const request = clientQueue.fresh(now);
      if (request !== undefined) return request;
      clientQueue = clientQueue.following;
      if (clientQueue === this.current) return undefined;
    }
    return undefined;
  }

  /** The next call that a worker may be given, in turn between the calling workers. */
  nextCall(mayTake: (depth: number) => boolean, now: number): RouterRequest | undefined {
    for (const clientQueue of this.callQueues ?? []) {
      const depth = clientQueue.first?.origin.depth;
      if (depth !== undefined && mayTake(depth)) return clientQueue.next(now);
    }
    return undefined;
  }

  /** Removes a request that is about to be dispatched, and passes the turn to the next client. */
  serve(request: RouterRequest): void {
    const clientQueue = this.holding(request);
    if (clientQueue === undefined) return;
    this.current = clientQueue.following;
    clientQueue.turns++;
    if (this.callQueues?.delete(clientQueue) === true) this.callQueues.add(clientQueue);
    this.leave(clientQueue, request);
  }

  /** Removes a request, whatever its position. */
  remove(request: RouterRequest): void {
    const clientQueue = this.holding(request);
    if (clientQueue !== undefined) this.leave(clientQueue, request);
  }

  /** The queue of the request's client, if it has one here. */
  clientQueueOf(request: RouterRequest): ClientQueue | undefined {
    const client = request.origin.client ?? request.origin;
    if (this.clientQueues !== undefined) return this.clientQueues.get(client);
    return this.current?.client === client ? this.current : undefined;
  }

  /**
   * The longest or heaviest client queue among those inspected; exact up to that number of queues.
   */
  largestClientQueue(measure: 'length' | 'bytes'): ClientQueue | undefined {
    let best = this.longest ?? this.current;
    let clientQueue = this.current;
    for (
      let looked = 0;
      clientQueue !== undefined && best !== undefined && looked < MAX_INSPECTED;
      looked++
    ) {
      if (clientQueue[measure] > best[measure]) best = clientQueue;
      clientQueue = clientQueue.following;
      if (clientQueue === this.current) break;
    }
    return best;
  }

  /** Whether a request, which is `next` of its client, is late and gives way to requests that are not. */
  isDeferred(next: RouterRequest): boolean {
    return this.holding(next)?.isDeferred(next) === true;
  }

  /** The client queue that a request is in, if it belongs to this queue. */
  private holding({ clientQueue }: RouterRequest): ClientQueue | undefined {
    return clientQueue instanceof ClientQueue && clientQueue.queue === this ? clientQueue : undefined;
  }

  private entered(clientQueue: ClientQueue, request: RouterRequest): void {
    request.clientQueue = clientQueue;
    if (request.origin.depth !== undefined) (this.callQueues ??= new Set()).add(clientQueue);
    clientQueue.bytes += request.size;
    this.length++;
    this.bytes += request.size;
    if (this.longest === undefined || clientQueue.length > this.longest.length) this.longest = clientQueue;
  }

  private leave(clientQueue: ClientQueue, request: RouterRequest): void {
    clientQueue.remove(request);
    request.clientQueue = undefined;
    clientQueue.bytes -= request.size;
    this.length--;
    this.bytes -= request.size;
    if (clientQueue.length === 0) this.closeClientQueue(clientQueue);
    if (this.length === 0) this.slab.release();
  }

  private clientQueueFor(request: RouterRequest): ClientQueue {
    return this.clientQueueOf(request) ?? this.openClientQueue(request.origin.client ?? request.origin);
  }

  /** A new client queue gets its turn after all others. */
  private openClientQueue(client: object): ClientQueue {
    const clientQueue = this.spare ?? new ClientQueue(this, client);
    this.spare = undefined;
    clientQueue.client = client;
    const { current } = this;
    if (current === undefined) {
      this.current = clientQueue;
      return clientQueue;
    }
    if (this.clientQueues === undefined) this.clientQueues = new Map([[current.client, current]]);
    this.clientQueues.set(client, clientQueue);
    clientQueue.following = current;
    clientQueue.previous = current.previous;
    current.previous.following = clientQueue;
    current.previous = clientQueue;
    return clientQueue;
  }

  private closeClientQueue(clientQueue: ClientQueue): void {
    if (this.longest === clientQueue) this.longest = undefined;
    this.callQueues?.delete(clientQueue);
    if (this.current === clientQueue)
      this.current = clientQueue.following === clientQueue ? undefined : clientQueue.following;
    clientQueue.previous.following = clientQueue.following;
    clientQueue.following.previous = clientQueue.previous;
    clientQueue.previous = clientQueue;
    clientQueue.following = clientQueue;
    this.spare = clientQueue;
    if (this.clientQueues === undefined) return;
    this.clientQueues.delete(clientQueue.client);
    if (this.clientQueues.size <= 1) this.clientQueues = undefined;
  }
}
