/**
 * Many deadlines on one coarse timing wheel.
 *
 * Items are linked into the buckets through fields of their own, so adding and cancelling is O(1)
 * and allocates nothing. The wheel owns no timer: its owner calls `advance` no later than
 * `nextWakeup`. A deadline never fires early, and fires at most one `resolution` late.
 */

/**
 * Fields that the wheel needs on an item. `dueTick` is `NOT_TIMED` while the item is not on a
 * wheel.
 */
export interface Timed<T> {
  dueTick: number;
  dueBefore: T | undefined;
  dueAfter: T | undefined;
}

/** Value of `dueTick` for an item that is not on a wheel. */
export const NOT_TIMED = -1;
/** Value of `dueTick` for an expired item whose callback has not run yet. */
const EXPIRED = -2;

/** Options of a {@link TimingWheel}. */
export interface TimingWheelOptions {
  /**
   * Duration of a bucket in milliseconds.
   * @defaultValue 8
   */
  resolution?: number;
  /**
   * Number of buckets, a power of two of at least 32. Deadlines beyond one turn stay for more
   * turns.
   * @defaultValue 4096, a turn of 33 s
   */
  buckets?: number;
}

/** A timing wheel of items of one kind. */
export class TimingWheel<T extends Timed<T>> {
  private readonly resolution: number;
  private readonly mask: number;
  /** One list per bucket, and the list of expired items after them. */
  private readonly heads: (T | undefined)[];
  private readonly filled: Int32Array;
  private current: number;
  private soonest = Infinity;
  private count = 0;

  /**
   * @param now the current time in milliseconds, on the clock that `advance` will use.
   */
  constructor(now = 0, options: TimingWheelOptions = {}) {
    const buckets = options.buckets ?? 4096;
    this.resolution = options.resolution ?? 8;
    this.mask = buckets - 1;
    this.heads = new Array<T | undefined>(buckets + 1).fill(undefined);
    this.filled = new Int32Array(buckets / 32);
    this.current = Math.floor(now / this.resolution);
  }

  /** Number of items with a deadline. */
  get size(): number {
    return this.count;
  }

  /**
   * Sets the deadline of an item without one, in milliseconds. A deadline in the past fires at the
   * next tick.
   */
  add(item: T, at: number): void {
    const tick = Math.max(Math.ceil(at / this.resolution), this.current + 1);
    item.dueTick = tick;
    this.link(item, tick & this.mask);
    this.soonest = this.count === 0 ? tick : Math.min(this.soonest, tick);
    this.count++;
  }

  /** Removes the deadline of an item; does nothing if it has none. */
  cancel(item: T): void {
    if (item.dueTick === NOT_TIMED) return;
    this.unlink(item);
    item.dueTick = NOT_TIMED;
    this.count--;
  }

  /**
   * Calls `onExpired` for each item whose deadline has passed. The callback may add and cancel
   * deadlines.
   *
   * @returns the number of calls.
   */
  advance(now: number, onExpired: (item: T, now: number) => void): number {
    const target = Math.floor(now / this.resolution);
    if (target > this.current) {
      const first = Math.max(this.current + 1, target - this.mask);
      this.current = target;
      if (this.count > 0)
        for (let tick = first; tick <= target; tick++) this.collect(tick & this.mask, target);
      this.soonest = this.count === 0 ? Infinity : this.findSoonest();
    }
    let called = 0;
    for (let item = this.heads[this.mask + 1]; item !== undefined; item = this.heads[this.mask + 1]) {
      this.cancel(item);
      called++;
      onExpired(item, now);
    }
    return called;
  }

  /**
   * Time in milliseconds at which to call `advance` next; Infinity when there is no deadline. It
   * may be earlier than the first deadline if an earlier one was cancelled.
   */
  nextWakeup(): number {
    return this.count === 0 ? Infinity : this.soonest * this.resolution;
  }

  /** Moves the due items of a bucket to the list of expired items. */
  private collect(bucket: number, target: number): void {
    let item = this.heads[bucket];
    while (item !== undefined) {
      const next: T | undefined = item.dueAfter;
      if (item.dueTick <= target) {
        this.unlink(item);
        item.dueTick = EXPIRED;
        this.link(item, this.mask + 1);
      }
      item = next;
    }
  }

  private link(item: T, bucket: number): void {
    const head = this.heads[bucket];
    item.dueBefore = undefined;
    item.dueAfter = head;
    if (head !== undefined) head.dueBefore = item;
    else if (bucket <= this.mask)
      this.filled[bucket >> 5] = (this.filled[bucket >> 5] ?? 0) | (1 << (bucket & 31));
    this.heads[bucket] = item;
  }

  private unlink(item: T): void {
    const { dueBefore: before, dueAfter: after } = item;
    if (after !== undefined) after.dueBefore = before;
    if (before !== undefined) before.dueAfter = after;
    else {
      const bucket = item.dueTick === EXPIRED ? this.mask + 1 : item.dueTick & this.mask;
      this.heads[bucket] = after;
      if (after === undefined && bucket <= this.mask) {
        this.filled[bucket >> 5] = (this.filled[bucket >> 5] ?? 0) & ~(1 << (bucket & 31));
      }
    }
    item.dueBefore = undefined;
    item.dueAfter = undefined;
  }

  /** The tick of the next bucket with any items, which may be due only in a later turn. */
  private findSoonest(): number {
    const start = this.current + 1;
    for (let offset = 0; offset <= this.mask; ) {
      const bucket = (start + offset) & this.mask;
      const bits = (this.filled[bucket >> 5] ?? 0) >>> (bucket & 31);
      if (bits !== 0) return start + offset + (31 - Math.clz32(bits & -bits));
      offset += 32 - (bucket & 31);
    }
    return start;
  }
}
