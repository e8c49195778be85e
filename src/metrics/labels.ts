/**
 * Bounds on label values: each value is a time series that is kept for the life of the process and
 * by the scraper.
 */

/** Label of all values beyond the bound. */
export const OTHER = 'other';

/** A table by label value, with at most `limit` entries and one more for all other values. */
export class BoundedTable<Entry> {
  private readonly entries = new Map<string, Entry>();
  private other: Entry | undefined;

  constructor(
    private readonly limit: number,
    private readonly make: () => Entry,
  ) {}

  /** The entry of a trusted value; created if there is room. */
  at(value: string): Entry {
    const known = this.entries.get(value);
    if (known !== undefined) return known;
    if (this.entries.size >= this.limit || value === OTHER) return this.otherEntry();
    const entry = this.make();
    this.entries.set(value, entry);
    return entry;
  }

  /**
   * The entry of a value if it exists, otherwise that of all other values. For values that clients
   * can make up.
   */
  known(value: string): Entry {
    return this.entries.get(value) ?? this.otherEntry();
  }

  /** The label of a value. */
  labelOf(value: string): string {
    return this.entries.has(value) ? value : OTHER;
  }

  *[Symbol.iterator](): IterableIterator<readonly [label: string, entry: Entry]> {
    yield* this.entries;
    if (this.other !== undefined) yield [OTHER, this.other];
  }

  private otherEntry(): Entry {
    this.other ??= this.make();
    return this.other;
  }
}

/** Counters by label value. */
export class BoundedCounts {
  private readonly counts = new Map<string, number>();

  constructor(private readonly limit: number) {}

  /** @param change 0 for a counter that starts to be reported before anything is counted. */
  add(value: string, change = 1): void {
    const before = this.counts.get(value);
    const label = before !== undefined || this.counts.size < this.limit ? value : OTHER;
    this.counts.set(label, (before ?? this.counts.get(label) ?? 0) + change);
  }

  [Symbol.iterator](): IterableIterator<[label: string, count: number]> {
    return this.counts.entries();
  }
}
