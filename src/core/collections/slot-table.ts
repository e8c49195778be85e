/**
 * A table whose keys may be given to strangers: a slot number and the generation of that slot.
 *
 * Each slot starts at a random generation and moves on with every value, so that a key that was used before,
 * or was made up, finds nothing. Both halves are unsigned 32-bit integers on the wire; generations stay below
 * 2^31, where V8 stores them without a box. The table keeps the room of its fullest hour: 16 bytes a slot.
 */
import { randomFillSync } from 'node:crypto';

/** What the table writes onto each value. */
export interface Slotted {
  /** Slot number; u32. */
  id: number;
  /** Generation of the slot, 1 to 2^31 - 1; 0 while the value is in no table. */
  generation: number;
}

const MAX_GENERATION = 0x7fffffff;
const FIRST_CAPACITY = 64;
/** How far back a generation may lie to count as issued once, rather than made up. */
const ISSUED_WINDOW = 0x10000;

/** Values under keys of slot and generation; add, get and remove are O(1). */
export class SlotTable<T extends Slotted> {
  private readonly slots: (T | undefined)[] = [];
  private readonly free: number[] = [];
  private generations = new Int32Array(0);
  private count = 0;

  /** How many values it holds. */
  get size(): number {
    return this.count;
  }

  /** Puts `value` into a free slot and writes `id` and `generation` onto it. */
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

  /** The value under a key, or undefined when the key is stale or forged. */
  get(id: number, generation: number): T | undefined {
    const value = this.slots[id];
    return value !== undefined && value.generation === generation ? value : undefined;
  }

  /** Takes `value` out; its key will never find anything again. False when it was not in. */
  remove(value: T): boolean {
    const id = value.id;
    if (value.generation === 0 || this.slots[id] !== value) return false;
    this.slots[id] = undefined;
    this.free.push(id);
    this.count--;
    value.generation = 0;
    return true;
  }

  /** Whether the key was handed out some time ago (late or doubled), rather than made up. */
  wasIssued(id: number, generation: number): boolean {
    const latest = this.generations[id];
    if (latest === undefined || id >= this.slots.length) return false;
    if (generation < 1 || generation > MAX_GENERATION) return false;
    const age = latest >= generation ? latest - generation : latest - generation + MAX_GENERATION;
    return age < ISSUED_WINDOW;
  }

  /** All values, in the order of their slots. Values may be added and removed meanwhile. */
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
