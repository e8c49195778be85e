/**
 * Values by whole numbers that others chose, mostly small ones such as slots of a `SlotTable`: what comes and goes with
 * each request. See `linked-list.ts` for why that is no `Map`, which numbers out of the ordinary go to all the same.
 */

/** Ids below have a place in the array, whoever chose them: 8 kB of it. */
const PLACES = 1024;

/** So many places there may be for each value that the map holds: numbers of a peer that has much under way are larger. */
const PLACES_A_VALUE = 16;

/** For ids that a router chose: it has more under way than one worker knows of. 512 kB at most. */
export const ROUTERS_PLACES = 65_536;

/** As a `Map` with numbers as keys; iterates in the order of the small ids. */
export class IdMap<T extends object> {
  private readonly places: (T | undefined)[] = [];
  private readonly others = new Map<number, T>();
  private count = 0;

  /** @param least ids below have a place in the array: what the one who chooses them may cost, 8 bytes each. */
  constructor(private readonly least = PLACES) {}

  /** How many values it holds. */
  get size(): number {
    return this.count + this.others.size;
  }

  get(id: number): T | undefined {
    return this.hasPlace(id) ? this.places[id] : this.others.get(id);
  }

  set(id: number, value: T): void {
    if (!this.hasPlace(id) && !this.makePlace(id)) {
      this.others.set(id, value);
      return;
    }
    if (this.places[id] === undefined) this.count++;
    this.places[id] = value;
  }

  delete(id: number): void {
    if (!this.hasPlace(id)) this.others.delete(id);
    else if (this.places[id] !== undefined) {
      this.places[id] = undefined;
      this.count--;
    }
  }

  clear(): void {
    this.places.length = 0;
    this.count = 0;
    this.others.clear();
  }

  /** All values. They may be deleted meanwhile. */
  *values(): IterableIterator<T> {
    if (this.count > 0) for (const value of this.places) if (value !== undefined) yield value;
    yield* this.others.values();
  }

  private hasPlace(id: number): boolean {
    return id >= 0 && id < this.places.length && Number.isInteger(id);
  }

  /** Makes the array longer where that is worth it; what waits elsewhere for one of the new places moves in. */
  private makePlace(id: number): boolean {
    const most = Math.max(this.least, this.size * PLACES_A_VALUE);
    if (!(id >= 0 && id < most && Number.isInteger(id))) return false;
    const from = this.places.length;
    const to = Math.max(id + 1, Math.min(most, 2 * from));
    while (this.places.length < to) this.places.push(undefined);
    for (const [other, value] of this.others) {
      if (other < from || !this.hasPlace(other)) continue;
      this.others.delete(other);
      this.places[other] = value;
      this.count++;
    }
    return true;
  }
}
