/**
 * A map with integer keys that a peer chose, mostly small ones such as slots of a `SlotTable`.
 * Entries come and go with each request. `linked-list.ts` explains why a `Map` is unsuitable for
 * them; here only ids outside the array go into one.
 */

/** Ids below this always have a slot in the array, which then takes up to 8 kB. */
const DEFAULT_SLOTS = 1024;

/** Array slots allowed per stored value: a peer with many requests in flight uses larger ids. */
const SLOTS_PER_VALUE = 16;

/**
 * Array slots for ids that a router chose: it has more requests in flight than one worker sees.
 * The array then takes up to 512 kB.
 */
export const ROUTER_ID_SLOTS = 65_536;

/** Like a `Map` with numbers as keys, but iterates in ascending order of the small ids. */
export class IdMap<T extends object> {
  private readonly slots: (T | undefined)[] = [];
  private readonly others = new Map<number, T>();
  private count = 0;

  /**
   * @param minSlots ids below this always have a slot in the array; each slot takes 8 bytes, so
   * this bounds the memory that the peer choosing the ids can claim.
   */
  constructor(private readonly minSlots = DEFAULT_SLOTS) {}

  /** Number of values. */
  get size(): number {
    return this.count + this.others.size;
  }

  get(id: number): T | undefined {
    return this.hasSlot(id) ? this.slots[id] : this.others.get(id);
  }

  set(id: number, value: T): void {
    if (!this.hasSlot(id) && !this.growTo(id)) {
      this.others.set(id, value);
      return;
    }
    if (this.slots[id] === undefined) this.count++;
    this.slots[id] = value;
  }

  delete(id: number): void {
    if (!this.hasSlot(id)) this.others.delete(id);
    else if (this.slots[id] !== undefined) {
      this.slots[id] = undefined;
      this.count--;
    }
  }

  clear(): void {
    this.slots.length = 0;
    this.count = 0;
    this.others.clear();
  }

  /** Yields all values. Values may be deleted during the iteration. */
  *values(): IterableIterator<T> {
    if (this.count > 0) for (const value of this.slots) if (value !== undefined) yield value;
    yield* this.others.values();
  }

  private hasSlot(id: number): boolean {
    return id >= 0 && id < this.slots.length && Number.isInteger(id);
  }

  /** Grows the array to include `id` if that is allowed, and moves values from the map into it. */
  private growTo(id: number): boolean {
    const most = Math.max(this.minSlots, this.size * SLOTS_PER_VALUE);
    if (!(id >= 0 && id < most && Number.isInteger(id))) return false;
    const from = this.slots.length;
    const to = Math.max(id + 1, Math.min(most, 2 * from));
    while (this.slots.length < to) this.slots.push(undefined);
    for (const [other, value] of this.others) {
      if (other < from || !this.hasSlot(other)) continue;
      this.others.delete(other);
      this.slots[other] = value;
      this.count++;
    }
    return true;
  }
}
