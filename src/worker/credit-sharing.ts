/**
 * Divides a worker's concurrency between its routers. All of them together never dispatch more than
 * the worker runs at a time, and a busy router can use the capacity that the others leave unused.
 *
 * Each connection has a share: the concurrency granted to its router. An increase counts at once. A
 * decrease counts only when the router has confirmed it and no more requests than that are in
 * flight. The sum therefore never exceeds the total, whatever is in transit. Routers with queued
 * requests ask for more. They get free concurrency first, then half of the unused concurrency of
 * another router, then part of the difference between the largest share and their own.
 */
import { DEFAULT_MAX_STREAMS } from '../core/messages/stream.ts';
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';

/** Interval of checks of the other routers while a router waits for credit, in ms. */
const CHECK_INTERVAL = 20;

/**
 * How long a router has to return credit before the worker reclaims some from another one too, in
 * ms.
 */
const RETURN_TIME = 200;

/**
 * If the worker runs at least this many requests per router, each router keeps a share of at least
 * one, so that its first request need not wait for credit.
 */
const RESERVE_FROM = 8;

/** The part of the concurrency that one router may use. */
export class Share {
  /** The concurrency last announced to the router. */
  granted = 0;
  /** The highest concurrency that the router may still apply. */
  limit = 0;
  /** Requests of this connection that are running or waiting in the worker. */
  inFlight = 0;
  /** Maximum of `inFlight` since the last check. */
  peak = 0;
  /** The router has queued requests. */
  wantsMore = false;
  /** The router has confirmed the last announced concurrency. */
  confirmed = false;
  open = true;
  reducedAt = 0;

  /**
   * Creates a share.
   *
   * @param announce announces the granted concurrency to the router
   */
  constructor(readonly announce: (concurrency: number) => void) {}

  /** The part of the total that this share takes, used or not. */
  get committed(): number {
    return this.open ? Math.max(this.limit, this.inFlight) : this.inFlight;
  }

  /** Granted, but not used recently. */
  get spare(): number {
    return this.granted - Math.max(this.inFlight, this.peak);
  }
}

/** The shares of a worker; see the head of this file. */
export class CreditSharing {
  /** Number of routers, connected or not. */
  routers = 1;
  private readonly shares = new Set<Share>();
  private cancelCheck: Cancel | undefined;
  /** Number of streams that use no concurrency. */
  private streams = 0;

  /**
   * Creates the shares of a worker.
   *
   * @param total the concurrency of the worker
   * @param sharing false if there is a single router, which gets all of it
   * @param maxStreams maximum number of streams that use no concurrency
   */
  constructor(
    private readonly total: number,
    readonly sharing: boolean,
    private readonly clock: Clock = systemClock,
    private readonly maxStreams: number = DEFAULT_MAX_STREAMS,
  ) {}

  /**
   * Called when a connection is established. The initial grant is an equal part of the total, as
   * far as it is free.
   */
  open(announce: (concurrency: number) => void): Share {
    const share = new Share(announce);
    const equal = Math.ceil(this.total / Math.max(1, this.routers));
    share.granted = this.sharing ? Math.max(0, Math.min(this.free(), equal)) : this.total;
    share.limit = share.granted;
    share.wantsMore = share.granted === 0 && this.total >= this.routers;
    this.shares.add(share);
    return share;
  }

  /**
   * Called when the connection is lost or draining. Requests of the connection that still run count
   * until they end.
   */
  close(share: Share): void {
    if (!share.open) return;
    share.open = false;
    share.wantsMore = false;
    if (share.inFlight === 0) this.shares.delete(share);
    this.rebalance();
  }

  /** Called when a request of the share arrives. */
  requestStarted(share: Share): void {
    share.inFlight += 1;
    if (share.inFlight > share.peak) share.peak = share.inFlight;
  }

  /** Called when a request of the share was answered. */
  requestEnded(share: Share): void {
    const freed = !share.open || share.inFlight > share.limit;
    share.inFlight -= 1;
    if (!share.open && share.inFlight === 0) this.shares.delete(share);
    if (freed) this.rebalance();
  }

  /**
   * Called when the handler of a request waits on a call. The request uses no concurrency, so that
   * the router which receives the call has some for the events that it leads to.
   */
  requestSuspended(share: Share): void {
    const freed = !share.open || share.inFlight > share.limit;
    share.inFlight -= 1;
    if (freed) this.rebalance();
  }

  /** Called when the handler of a request no longer waits on a call. */
  requestResumed(share: Share): void {
    this.shares.add(share);
    this.requestStarted(share);
  }

  /** Called with the first chunk of a stream. Returns whether it uses no concurrency from now on. */
  streamBegan(): boolean {
    if (this.streams >= this.maxStreams) return false;
    this.streams += 1;
    return true;
  }

  /** Called at the end of a stream that used no concurrency. */
  streamEnded(): void {
    this.streams -= 1;
  }

  /** Called when the router has queued requests. */
  moreWanted(share: Share): void {
    if (!share.open) return;
    if (this.cancelCheck === undefined) this.resetPeaks();
    share.wantsMore = true;
    this.rebalance();
  }

  /**
   * Called when the router has confirmed the last announced concurrency: everything it sent before
   * has arrived.
   */
  confirmed(share: Share): void {
    share.confirmed = true;
    share.limit = share.granted;
    this.rebalance();
  }

  stop(): void {
    this.cancelCheck?.();
    this.cancelCheck = undefined;
  }

  private free(): number {
    let free = this.total;
    for (const share of this.shares) free -= share.committed;
    return free;
  }

  private rebalance(): void {
    if (!this.sharing) return;
    const wanting = [...this.shares]
      .filter((share) => share.wantsMore && share.confirmed)
      .sort((a, b) => a.granted - b.granted);
    let free = this.free();
    wanting.forEach((share, index) => {
      const part = Math.ceil(Math.max(0, free) / (wanting.length - index));
      if (part > 0) this.grant(share, part);
      free -= part;
    });
    for (const share of wanting) if (share.wantsMore) this.reclaimFor(share);
    this.checkLater();
  }

  private grant(share: Share, more: number): void {
    share.granted += more;
    share.limit = Math.max(share.limit, share.granted);
    share.wantsMore = false;
    this.announce(share);
  }

  /** Reclaims credit from another router. It is granted again once that router has confirmed. */
  private reclaimFor(recipient: Share): void {
    if (this.pendingReturn() > 0) return;
    let donor: Share | undefined;
    let largest = 0;
    for (const share of this.shares) {
      const surplus =
        share !== recipient && share.open && share.confirmed ? this.surplus(share, recipient) : 0;
      if (surplus > largest) {
        largest = surplus;
        donor = share;
      }
    }
    if (donor === undefined) return;
    donor.granted -= largest;
    donor.reducedAt = this.clock.now();
    this.announce(donor);
  }

  /**
   * How much of its share a router can give up for another one. Of a router that wants more itself,
   * nothing counts as unused, because requests in transit are not visible here.
   */
  private surplus(donor: Share, recipient: Share): number {
    const least = this.total >= RESERVE_FROM * this.routers ? 1 : 0;
    const spare = donor.wantsMore ? 0 : Math.min(Math.ceil(donor.spare / 2), donor.granted - least);
    const difference = donor.granted - recipient.granted;
    const excess = difference >= 2 ? Math.floor(difference / 2) : recipient.granted === 0 ? difference : 0;
    return Math.max(spare, excess);
  }

  /** Credit that routers have not returned yet. */
  private pendingReturn(): number {
    const now = this.clock.now();
    let pending = 0;
    for (const share of this.shares) {
      const late = now - share.reducedAt > RETURN_TIME;
      if (share.open && !late) pending += share.committed - share.granted;
    }
    return pending;
  }

  private announce(share: Share): void {
    share.confirmed = false;
    share.announce(share.granted);
  }

  /**
   * Checks repeatedly while a router wants more: unused credit of the others shows only over time.
   */
  private checkLater(): void {
    if (this.cancelCheck !== undefined || this.shares.size < 2 || !this.anyWantsMore()) return;
    this.cancelCheck = this.clock.after(CHECK_INTERVAL, () => {
      this.rebalance();
      this.resetPeaks();
      this.cancelCheck = undefined;
      this.checkLater();
    });
  }

  private resetPeaks(): void {
    for (const share of this.shares) share.peak = share.inFlight;
  }

  private anyWantsMore(): boolean {
    for (const share of this.shares) if (share.wantsMore) return true;
    return false;
  }
}
