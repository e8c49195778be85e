/**
 * Values by whole numbers that others chose, mostly small ones such as slots of a `SlotTable`: what comes and goes with
 * each request. See `linked-list.ts` for why that is no `Map`, which numbers out of the ordinary go to all the same.
 */

/** Ids below have a place in an array: 32 kB of it at most. */
const PLACES = 4096;

/** As a `Map` with numbers as keys; iterates in the order of the small ids. */
export class IdMap<T extends object> {
  private readonly places: (T | undefined)[] = [];
  private readonly others = new Map<number, T>();
  private count = 0;

  /** How many values it holds. */
  get size(): number {
    return this.count + this.others.size;
  }

  get(id: number): T | undefined {
    return isSmall(id) ? this.places[id] : this.others.get(id);
  }

  set(id: number, value: T): void {
    if (!isSmall(id)) {
      this.others.set(id, value);
      return;
    }
    while (this.places.length <= id) this.places.push(undefined);
    if (this.places[id] === undefined) this.count++;
    this.places[id] = value;
  }

  delete(id: number): void {
    if (!isSmall(id)) this.others.delete(id);
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
}

function isSmall(id: number): boolean {
  return id >= 0 && id < PLACES && Number.isInteger(id);
}
