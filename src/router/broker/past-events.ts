/**
 * Names of events that a worker announced before and that no worker announces now. Workers that
 * announce no events, such as classic ones, do not receive requests for them. The names are bounded
 * in number and size; the oldest are dropped first.
 */

/** Maximum number of names. */
const MAX_NAMES = 100_000;

/** Maximum total length of the names, in characters. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

export class PastEvents {
  private readonly names = new Set<string>();
  private characters = 0;

  constructor(
    private readonly maxNames = MAX_NAMES,
    private readonly maxCharacters = MAX_CHARACTERS,
  ) {}

  get size(): number {
    return this.names.size;
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** The names that were added last. @param count how many, at most. */
  latest(count: number): string[] {
    return [...this.names].slice(-count);
  }

  /** Adds the name of an event whose last worker left. */
  add(name: string): void {
    if (!this.names.delete(name)) this.characters += name.length;
    this.names.add(name);
    while (this.names.size > this.maxNames || this.characters > this.maxCharacters) this.deleteOldest();
  }

  /** Removes the name of an event that a worker announces again. */
  delete(name: string): void {
    if (this.names.delete(name)) this.characters -= name.length;
  }

  private deleteOldest(): void {
    for (const oldest of this.names) return this.delete(oldest);
  }
}
