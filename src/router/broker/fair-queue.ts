/**
 * The queue of one event: a lane for each client, served in turn, so that a flood from one client leaves the wait of
 * others unchanged. A lane is served in the order that requests came, but for late ones (`core/collections/serving-list.ts`). With a
 * single client the queue costs what a FIFO costs.
 */

import { ServingList } from '../../core/collections/serving-list.ts';
import { isFresh } from '../../core/time/lateness.ts';
import { Slab } from './payload.ts';
import type { RouterRequest } from './request.ts';

/** Most lanes looked at to find the longest one. */
const SAMPLE = 32;

/** What one client has waiting for one event. */
export class ClientQueue extends ServingList<RouterRequest> {
  bytes = 0;
  /** Neighbours in the round of lanes; itself while it is alone. */
  left: ClientQueue = this;
  right: ClientQueue = this;

  constructor(
    readonly queue: FairQueue,
    public client: object,
  ) {
    super();
  }

  override next(now: number): RouterRequest | undefined {
    const { first } = this;
    // It was at a worker before, and keeps its place.
    return first?.worker === undefined ? super.next(now) : first;
  }

  /** Whether a request, which is `next`, waits for others that are not late. */
  yields(next: RouterRequest): boolean {
    return this.head === undefined && next.worker === undefined;
  }

  /** A request with at least half of its time left: the next one or the newest one. */
  fresh(now: number): RouterRequest | undefined {
    const next = this.next(now);
    if (next === undefined || isFresh(next, now)) return next;
    return this.last !== undefined && isFresh(this.last, now) ? this.last : undefined;
  }

  /** The request to give up first when there is no room. */
  get leastUrgent(): RouterRequest | undefined {
    const { passedOver, last } = this;
    return passedOver !== undefined && passedOver.worker === undefined ? passedOver : last;
  }
}

/** Requests waiting for one event. Every operation is O(1). */
export class FairQueue {
  length = 0;
  bytes = 0;
  readonly slab = new Slab();
  /** The lane whose turn it is. */
  private current: ClientQueue | undefined = undefined;
  /** Lanes by client; only while there is more than one. */
  private lanes: Map<object, ClientQueue> | undefined = undefined;
  /** The last lane that emptied, kept to be used again. */
  private spare: ClientQueue | undefined = undefined;
  /** A lane that was the longest when it last grew. */
  private longest: ClientQueue | undefined = undefined;

  push(pending: RouterRequest): void {
    const lane = this.laneFor(pending);
    lane.push(pending);
    this.entered(lane, pending);
  }

  /** Puts a request before all others: it was at a worker already. */
  unshift(pending: RouterRequest): void {
    const lane = this.laneFor(pending);
    lane.unshift(pending);
    this.current = lane;
    this.entered(lane, pending);
  }

  /** A request of the client whose turn it is. */
  get first(): RouterRequest | undefined {
    return this.current?.first;
  }

  /** The request to serve next: of the client whose turn it is, or of the next one with a request that is not late. */
  next(now: number): RouterRequest | undefined {
    const { current } = this;
    const first = current?.next(now);
    if (current === undefined || first === undefined || !current.yields(first)) return first;
    let lane = current.right;
    for (let looked = 1; lane !== current && looked < SAMPLE; looked++) {
      const other = lane.next(now);
      if (other !== undefined && !lane.yields(other)) return other;
      lane = lane.right;
    }
    return first;
  }

  /** The first request in the round of clients with at least half of its time left, among the lanes looked at. */
  nextFresh(now: number): RouterRequest | undefined {
    let lane = this.current;
    for (let looked = 0; lane !== undefined && looked < SAMPLE; looked++) {
      const pending = lane.fresh(now);
      if (pending !== undefined) return pending;
      lane = lane.right;
      if (lane === this.current) return undefined;
    }
    return undefined;
  }

  /** Takes a request out that is served; the turn goes on to the next client. */
  serve(pending: RouterRequest): void {
    const lane = this.holding(pending);
    if (lane === undefined) return;
    this.current = lane.right;
    lane.turns++;
    this.leave(lane, pending);
  }

  /** Takes a request out, wherever it stands. */
  remove(pending: RouterRequest): void {
    const lane = this.holding(pending);
    if (lane !== undefined) this.leave(lane, pending);
  }

  /** What the client of a request has waiting here. */
  laneOf(pending: RouterRequest): ClientQueue | undefined {
    const client = pending.origin.client ?? pending.origin;
    if (this.lanes !== undefined) return this.lanes.get(client);
    return this.current?.client === client ? this.current : undefined;
  }

  /** The longest lane, or the heaviest, among those looked at; exact as long as there are few. */
  largestLane(measure: 'length' | 'bytes'): ClientQueue | undefined {
    let best = this.longest ?? this.current;
    let lane = this.current;
    for (let looked = 0; lane !== undefined && best !== undefined && looked < SAMPLE; looked++) {
      if (lane[measure] > best[measure]) best = lane;
      lane = lane.right;
      if (lane === this.current) break;
    }
    return best;
  }

  /** Whether a request, which is `next` of its client, waits for others that are not late. */
  yields(next: RouterRequest): boolean {
    return this.holding(next)?.yields(next) === true;
  }

  /** The lane of this queue that a request is in. */
  private holding({ lane }: RouterRequest): ClientQueue | undefined {
    return lane instanceof ClientQueue && lane.queue === this ? lane : undefined;
  }

  private entered(lane: ClientQueue, pending: RouterRequest): void {
    pending.lane = lane;
    lane.bytes += pending.size;
    this.length++;
    this.bytes += pending.size;
    if (this.longest === undefined || lane.length > this.longest.length) this.longest = lane;
  }

  private leave(lane: ClientQueue, pending: RouterRequest): void {
    lane.remove(pending);
    pending.lane = undefined;
    lane.bytes -= pending.size;
    this.length--;
    this.bytes -= pending.size;
    if (lane.length === 0) this.closeLane(lane);
    if (this.length === 0) this.slab.release();
  }

  private laneFor(pending: RouterRequest): ClientQueue {
    return this.laneOf(pending) ?? this.openLane(pending.origin.client ?? pending.origin);
  }

  /** A new lane has its turn after all that wait already. */
  private openLane(client: object): ClientQueue {
    const lane = this.spare ?? new ClientQueue(this, client);
    this.spare = undefined;
    lane.client = client;
    const { current } = this;
    if (current === undefined) {
      this.current = lane;
      return lane;
    }
    if (this.lanes === undefined) this.lanes = new Map([[current.client, current]]);
    this.lanes.set(client, lane);
    lane.right = current;
    lane.left = current.left;
    current.left.right = lane;
    current.left = lane;
    return lane;
  }

  private closeLane(lane: ClientQueue): void {
    if (this.longest === lane) this.longest = undefined;
    if (this.current === lane) this.current = lane.right === lane ? undefined : lane.right;
    lane.left.right = lane.right;
    lane.right.left = lane.left;
    lane.left = lane;
    lane.right = lane;
    this.spare = lane;
    if (this.lanes === undefined) return;
    this.lanes.delete(lane.client);
    if (this.lanes.size <= 1) this.lanes = undefined;
  }
}
