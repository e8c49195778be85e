/**
 * A map whose values live as long as one request, and whose keys are strings or numbers that cannot
 * be chosen freely; `linked-list.ts` explains why a `Map` alone is unsuitable. The tables that V8
 * keeps hold only empty boxes here: removing a value empties its box.
 */

interface Box<V> {
  value: V | undefined;
}

/** Like a `Map`, but lets go of removed values at once. */
export class ReleasingMap<K extends string | number, V extends object> {
  private readonly boxes = new Map<K, Box<V>>();

  /** Number of values. */
  get size(): number {
    return this.boxes.size;
  }

  get(key: K): V | undefined {
    return this.boxes.get(key)?.value;
  }

  set(key: K, value: V): void {
    const box = this.boxes.get(key);
    if (box === undefined) this.boxes.set(key, { value });
    else box.value = value;
  }

  /** Removes a value and returns it; undefined if there is none. */
  take(key: K): V | undefined {
    const box = this.boxes.get(key);
    if (box === undefined) return undefined;
    this.boxes.delete(key);
    const { value } = box;
    box.value = undefined;
    return value;
  }

  clear(): void {
    for (const box of this.boxes.values()) box.value = undefined;
    this.boxes.clear();
  }

  /** Yields the values in the order in which their keys were added. */
  *values(): IterableIterator<V> {
    for (const { value } of this.boxes.values()) if (value !== undefined) yield value;
  }
}
