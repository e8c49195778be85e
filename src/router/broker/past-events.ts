/**
 * Names of events whose workers are away: some worker announced each of them before, and no worker announces it now. A
 * worker that lists no events, such as a classic one, is not given them. The names are bounded in number and size; the
 * oldest are forgotten first.
 */

/** Most names that are remembered. */
const MAX_NAMES = 100_000;

/** Characters of all of them. */
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

  /** Remembers the name of an event whose last worker left. */
  add(name: string): void {
    this.delete(name);
    this.names.add(name);
    this.characters += name.length;
    while (this.names.size > this.maxNames || this.characters > this.maxCharacters) this.forgetOldest();
  }

  /** Forgets a name: a worker announces the event again. */
  delete(name: string): void {
    if (this.names.delete(name)) this.characters -= name.length;
  }

  private forgetOldest(): void {
    for (const oldest of this.names) return this.delete(oldest);
  }
}
