/** Closes what a test opened, in reverse order, when the test ends. */

/** Registers what to close at the end: a `Scope`, or the `t` of a test through `scopeOf(t)`. */
export interface Cleanup {
  after(close: () => unknown): void;
}

export class Scope implements Cleanup, AsyncDisposable {
  private readonly closers: (() => unknown)[] = [];

  after(close: () => unknown): void {
    this.closers.push(close);
  }

  /** Closes everything, last opened first, even if one fails. Throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.closers.pop(); closer !== undefined; closer = this.closers.pop()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Returns a scope that closes when the test, or the suite of an `after` hook, ends: `scopeOf(t)` or
 * `scopeOf({ after })`.
 */
export function scopeOf(test: Cleanup): Scope {
  const scope = new Scope();
  test.after(() => scope.close());
  return scope;
}
