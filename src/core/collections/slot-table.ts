/**
 * A table whose keys may be handed to untrusted peers: a slot number and the slot's generation.
 *
 * Each slot starts at a random generation, which increases with every value. A key that is stale or
 * made up therefore finds nothing. Both halves are unsigned 32-bit integers on the wire;
 * generations stay below 2^31, so that V8 stores them unboxed. The table never shrinks: it keeps 16
 * bytes per slot of its largest size.
 */
import { randomFillSync } from 'node:crypto';

/** Fields that the table sets on each value. */
export interface Slotted {
  /** Slot number; u32. */
  id: number;
  /** Generation of the slot, 1 to 2^31 - 1; 0 while the value is not in a table. */
  generation: number;
}

const MAX_GENERATION = 0x7fffffff;
const FIRST_CAPACITY = 64;
/** A key at most this many generations old counts as issued rather than made up. */
const ISSUED_WINDOW = 0x10000;

/** Values keyed by slot and generation; add, get and remove are O(1). */
export class SlotTable<T extends Slotted> {
  private readonly slots: (T | undefined)[] = [];
  private readonly free: number[] = [];
  private generations = new Int32Array(0);
  private count = 0;

  /** Number of values. */
  get size(): number {
    return this.count;
  }

  /** Stores `value` in a free slot and sets its `id` and `generation`. */
  add(value: T): void {
    const id = this.free.pop() ?? this.grow();
    const last = this.generations[id] ?? 0;
    const generation = last === MAX_GENERATION ? 1 : last + 1;
    this.generations[id] = generation;
    this.slots[id] = value;
    value.id = id;
    value.generation = generation;
    this.count++;
  }

  /** The value for a key, or undefined when the key is stale or forged. */
  get(id: number, generation: number): T | undefined {
    const value = this.slots[id];
    return value !== undefined && value.generation === generation ? value : undefined;
  }

  /** Removes `value`, whose key then stays invalid. Returns false when it was not in the table. */
  remove(value: T): boolean {
    const id = value.id;
    if (value.generation === 0 || this.slots[id] !== value) return false;
    this.slots[id] = undefined;
    this.free.push(id);
    this.count--;
    value.generation = 0;
    return true;
  }

  /** Whether the key was issued recently (a late or duplicate use), rather than made up. */
  wasIssued(id: number, generation: number): boolean {
    const latest = this.generations[id];
    if (latest === undefined || id >= this.slots.length) return false;
    if (generation < 1 || generation > MAX_GENERATION) return false;
    const age = latest >= generation ? latest - generation : latest - generation + MAX_GENERATION;
    return age < ISSUED_WINDOW;
  }

  /**
   * Yields all values in order of their slots. Values may be added and removed during the
   * iteration.
   */
  *values(): IterableIterator<T> {
    for (let id = 0; id < this.slots.length; id++) {
      const value = this.slots[id];
      if (value !== undefined) yield value;
    }
  }

  private grow(): number {
    const id = this.slots.length;
    if (id === this.generations.length) {
      const larger = new Int32Array(Math.max(FIRST_CAPACITY, id * 2));
      randomFillSync(larger);
      for (let index = 0; index < larger.length; index++)
        larger[index] = (larger[index] ?? 0) & MAX_GENERATION;
      larger.set(this.generations);
      this.generations = larger;
    }
    this.slots.push(undefined);
    return id;
  }
}
