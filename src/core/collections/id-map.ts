/**
 * Values by whole numbers that others chose, mostly small ones such as slots of a `SlotTable`: what comes and goes with
 * each request. See `linked-list.ts` for why that is no `Map`, which numbers out of the ordinary go to all the same.
 */

/** Ids below have a place in the array, whoever chose them: 8 kB of it. */
const DEFAULT_SLOTS = 1024;

/** So many places there may be for each value that the map holds: numbers of a peer that has much under way are larger. */
const SLOTS_PER_VALUE = 16;

/** For ids that a router chose: it has more under way than one worker knows of. 512 kB at most. */
export const ROUTER_ID_SLOTS = 65_536;

/** As a `Map` with numbers as keys; iterates in the order of the small ids. */
export class IdMap<T extends object> {
  private readonly slots: (T | undefined)[] = [];
  private readonly others = new Map<number, T>();
  private count = 0;

  /** @param minSlots ids below have a place in the array: what the one who chooses them may cost, 8 bytes each. */
  constructor(private readonly minSlots = DEFAULT_SLOTS) {}

  /** How many values it holds. */
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

  /** All values. They may be deleted meanwhile. */
  *values(): IterableIterator<T> {
    if (this.count > 0) for (const value of this.slots) if (value !== undefined) yield value;
    yield* this.others.values();
  }

  private hasSlot(id: number): boolean {
    return id >= 0 && id < this.slots.length && Number.isInteger(id);
  }

  /** Makes the array longer where that is worth it; what waits elsewhere for one of the new places moves in. */
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
