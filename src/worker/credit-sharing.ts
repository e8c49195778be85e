/**
 * Divides a worker's concurrency between its routers. All of them together never dispatch more than
 * the worker runs at a time, and a busy router can use the capacity that the others leave unused.
 *
 * Each connection has a share: the concurrency granted to its router. A grown share counts at once.
 * A reduced share counts in full until the router has confirmed it, and for as long as more
 * requests are held. The sum therefore never exceeds the total, whatever is in transit. Routers
 * with queued requests ask for more. They get what is free first, then half of what others have
 * granted but unused, then the excess of the largest share over their own.
 */
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';

/** Interval of checks of the other routers while a router waits for credit, in ms. */
const LOOK_INTERVAL = 20;

/**
 * How long a router has to return credit before the worker reclaims some from another one too, in
 * ms.
 */
const RETURN_TIME = 200;

/**
 * From this many concurrent requests per router on, each router keeps at least one, so that its
 * first request need not ask for credit.
 */
const ROOMY = 8;

/** The part of the concurrency that one router may use. */
export class Share {
  /** The concurrency last announced to the router. */
  granted = 0;
  /** The highest concurrency that the router may still apply. */
  limit = 0;
  /** Requests of this connection that are running or waiting in the worker. */
  held = 0;
  /** Maximum of `held` since the last check. */
  peak = 0;
  /** The router has queued requests. */
  wants = false;
  /** The router has confirmed the last announced concurrency. */
  agreed = false;
  open = true;
  reducedAt = 0;

  /**
   * Creates a share.
   *
   * @param tell announces the granted concurrency to the router
   */
  constructor(readonly tell: (concurrency: number) => void) {}

  /** The part of the total that this share takes, used or not. */
  get committed(): number {
    return this.open ? Math.max(this.limit, this.held) : this.held;
  }

  /** Granted, but not used recently. */
  get spare(): number {
    return this.granted - Math.max(this.held, this.peak);
  }
}

/** The shares of a worker; see the head of this file. */
export class CreditSharing {
  /** Number of routers, connected or not. */
  parties = 1;
  private readonly shares = new Set<Share>();
  private cancelLook: Cancel | undefined;

  /**
   * Creates the shares of a worker.
   *
   * @param total the concurrency of the worker
   * @param sharing false if there is a single router, which gets all of it
   */
  constructor(
    private readonly total: number,
    readonly sharing: boolean,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Called when a connection is established. The initial grant is an equal part of the total, as
   * far as it is free.
   */
  open(tell: (concurrency: number) => void): Share {
    const share = new Share(tell);
    const equal = Math.ceil(this.total / Math.max(1, this.parties));
    share.granted = this.sharing ? Math.max(0, Math.min(this.free(), equal)) : this.total;
    share.limit = share.granted;
    share.wants = share.granted === 0 && this.total >= this.parties;
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
    share.wants = false;
    if (share.held === 0) this.shares.delete(share);
    this.rebalance();
  }

  /** Called when a request of the share arrives. */
  began(share: Share): void {
    share.held += 1;
    if (share.held > share.peak) share.peak = share.held;
  }

  /** Called when a request of the share was answered. */
  ended(share: Share): void {
    const freed = !share.open || share.held > share.limit;
    share.held -= 1;
    if (!share.open && share.held === 0) this.shares.delete(share);
    if (freed) this.rebalance();
  }

  /** Called when the router has queued requests. */
  wanted(share: Share): void {
    if (!share.open) return;
    if (this.cancelLook === undefined) this.forgetPeaks();
    share.wants = true;
    this.rebalance();
  }

  /**
   * Called when the router has confirmed the last announced concurrency: everything it sent before
   * has arrived.
   */
  agreed(share: Share): void {
    share.agreed = true;
    share.limit = share.granted;
    this.rebalance();
  }

  stop(): void {
    this.cancelLook?.();
    this.cancelLook = undefined;
  }

  private free(): number {
    let free = this.total;
    for (const share of this.shares) free -= share.committed;
    return free;
  }

  private rebalance(): void {
    if (!this.sharing) return;
    const wanting = [...this.shares]
      .filter((share) => share.wants && share.agreed)
      .sort((a, b) => a.granted - b.granted);
    let free = this.free();
    wanting.forEach((share, index) => {
      const part = Math.ceil(Math.max(0, free) / (wanting.length - index));
      if (part > 0) this.grant(share, part);
      free -= part;
    });
    for (const share of wanting) if (share.wants) this.reclaimFor(share);
    this.lookLater();
  }

  private grant(share: Share, more: number): void {
    share.granted += more;
    share.limit = Math.max(share.limit, share.granted);
    share.wants = false;
    this.tell(share);
  }

  /** Reclaims credit from another router. It is granted again once that router has confirmed. */
  private reclaimFor(poor: Share): void {
    if (this.comingBack() > 0) return;
    let rich: Share | undefined;
    let most = 0;
    for (const share of this.shares) {
      const surplus = share !== poor && share.open && share.agreed ? this.surplus(share, poor) : 0;
      if (surplus > most) {
        most = surplus;
        rich = share;
      }
    }
    if (rich === undefined) return;
    rich.granted -= most;
    rich.reducedAt = this.clock.now();
    this.tell(rich);
  }

  /**
   * How much of its share a router can give up for another one. A router that wants more itself has
   * nothing to give up: requests in transit are not visible here.
   */
  private surplus(rich: Share, poor: Share): number {
    const least = this.total >= ROOMY * this.parties ? 1 : 0;
    const spare = rich.wants ? 0 : Math.min(Math.ceil(rich.spare / 2), rich.granted - least);
    const ahead = rich.granted - poor.granted;
    const owed = ahead >= 2 ? Math.floor(ahead / 2) : poor.granted === 0 ? ahead : 0;
    return Math.max(spare, owed);
  }

  /** Credit that routers have not returned yet. */
  private comingBack(): number {
    const now = this.clock.now();
    let coming = 0;
    for (const share of this.shares) {
      const late = now - share.reducedAt > RETURN_TIME;
      if (share.open && !late) coming += share.committed - share.granted;
    }
    return coming;
  }

  private tell(share: Share): void {
    share.agreed = false;
    share.tell(share.granted);
  }

  /**
   * Checks repeatedly while a router wants more: unused credit of the others shows only over time.
   */
  private lookLater(): void {
    if (this.cancelLook !== undefined || this.shares.size < 2 || !this.anyWants()) return;
    this.cancelLook = this.clock.after(LOOK_INTERVAL, () => {
      this.rebalance();
      this.forgetPeaks();
      this.cancelLook = undefined;
      this.lookLater();
    });
  }

  private forgetPeaks(): void {
    for (const share of this.shares) share.peak = share.held;
  }

  private anyWants(): boolean {
    for (const share of this.shares) if (share.wants) return true;
    return false;
  }
}
