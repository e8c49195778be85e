/**
 * How a worker shares its concurrency between its routers, so that all of them together never give it more than it
 * takes, and one that is busy can use what the others do not.
 *
 * Each connection has a share: what the router was granted. A share that grows counts at once; one that shrinks counts as
 * before until the router has said that it goes by it, and as long as more is held: so the sum is never above the total,
 * whatever is on its way. Routers that have requests waiting ask for more. They get what is free, then half of
 * what others have and do not use, then of the largest share what it has more than theirs.
 */
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';

/** While a router waits for credit, the others are looked at this often, in ms. */
const LOOK_INTERVAL = 20;

/** How long a router has to give credit back, before it is taken from another one as well; ms. */
const RETURN_TIME = 200;

/** From so many requests at a time for each router on, none is left without any: its first request need not ask. */
const ROOMY = 8;

/** What one router may give the worker. */
export class Share {
  /** What the router was told last. */
  granted = 0;
  /** The most that it may still go by. */
  limit = 0;
  /** Requests of this connection that run or wait here. */
  held = 0;
  /** The most it held since the last look. */
  peak = 0;
  /** It has requests waiting. */
  wants = false;
  /** It goes by what it was told last. */
  agreed = false;
  open = true;
  reducedAt = 0;

  /** @param tell tells the router what it is granted. */
  constructor(readonly tell: (concurrency: number) => void) {}

  /** How much of the total is taken by it, used or not. */
  get committed(): number {
    return this.open ? Math.max(this.limit, this.held) : this.held;
  }

  /** Granted, and not used lately. */
  get spare(): number {
    return this.granted - Math.max(this.held, this.peak);
  }
}

/** The shares of a worker; see the head of this file. */
export class CreditSharing {
  /** Routers that there are, connected or not. */
  parties = 1;
  private readonly shares = new Set<Share>();
  private cancelLook: Cancel | undefined;

  /**
   * @param total the worker's concurrency.
   * @param sharing false: there is one router, which has all of it.
   */
  constructor(
    private readonly total: number,
    readonly sharing: boolean,
    private readonly clock: Clock = systemClock,
  ) {}

  /** A connection stands: what is granted to start with is an equal part, as far as that is free. */
  open(tell: (concurrency: number) => void): Share {
    const share = new Share(tell);
    const equal = Math.ceil(this.total / Math.max(1, this.parties));
    share.granted = this.sharing ? Math.max(0, Math.min(this.free(), equal)) : this.total;
    share.limit = share.granted;
    share.wants = share.granted === 0 && this.total >= this.parties;
    this.shares.add(share);
    return share;
  }

  /** The connection is lost, or gets nothing more; what it still runs here counts until it ends. */
  close(share: Share): void {
    if (!share.open) return;
    share.open = false;
    share.wants = false;
    if (share.held === 0) this.shares.delete(share);
    this.rebalance();
  }

  /** A request of the share came. */
  began(share: Share): void {
    share.held += 1;
    if (share.held > share.peak) share.peak = share.held;
  }

  /** A request of the share was answered. */
  ended(share: Share): void {
    const freed = !share.open || share.held > share.limit;
    share.held -= 1;
    if (!share.open && share.held === 0) this.shares.delete(share);
    if (freed) this.rebalance();
  }

  /** The router has requests waiting. */
  wanted(share: Share): void {
    if (!share.open) return;
    if (this.cancelLook === undefined) this.forgetPeaks();
    share.wants = true;
    this.rebalance();
  }

  /** The router goes by what it was told last: all it sent before has come. */
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

  /** Takes something from another router; it is given away once that one has agreed. */
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
   * What a router can do without in favour of another one. Who wants more himself has nothing to spare: what is on its
   * way to or from him is not seen here.
   */
  private surplus(rich: Share, poor: Share): number {
    const least = this.total >= ROOMY * this.parties ? 1 : 0;
    const spare = rich.wants ? 0 : Math.min(Math.ceil(rich.spare / 2), rich.granted - least);
    const ahead = rich.granted - poor.granted;
    const owed = ahead >= 2 ? Math.floor(ahead / 2) : poor.granted === 0 ? ahead : 0;
    return Math.max(spare, owed);
  }

  /** Credit that is on its way back. */
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

  /** As long as somebody wants more: what others do not use becomes visible in time only. */
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
