/**
 * Widens the windows of streams whose receiver keeps up. A stream moves at most one window in each
 * round trip, so that a fixed window would limit its rate. A wide window costs memory only once the
 * receiver falls behind; it then shrinks again.
 */

/** Window that a stream has at first, and to which it shrinks, in bytes. */
const INITIAL_WINDOW = 256 * 1024;

/** Maximum window of a stream, in bytes. */
const MAX_WINDOW = 2 * 1024 * 1024;

/** Bytes that all windows of a process may have in addition to their initial ones. */
const WIDENING_BUDGET = 32 * 1024 * 1024;

/** Bytes by which the windows of a process may still be widened. */
export class WindowBudget {
  constructor(private left = WIDENING_BUDGET) {}

  /** Takes up to `bytes`. Returns how many it took. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.left);
    this.left -= taken;
    return taken;
  }

  /** Returns bytes that were taken. */
  give(bytes: number): void {
    this.left += bytes;
  }
}

/** The window of one stream, as its receiver grants it. */
export class WindowGrowth {
  private window = INITIAL_WINDOW;
  /** Bytes consumed since the window was widened, or the receiver was behind. */
  private sinceChange = 0;

  constructor(private readonly budget: WindowBudget) {}

  /**
   * Consumed bytes after which the next grant is due: a quarter of the window, so that a wide window
   * needs fewer grants and the sender still never waits for one.
   */
  get step(): number {
    return this.window / 4;
  }

  /**
   * Returns how many bytes to grant.
   *
   * @param consumed bytes that the receiver has consumed since the last call.
   * @param waiting bytes that it has not consumed.
   */
  grantFor(consumed: number, waiting: number): number {
    if (waiting > INITIAL_WINDOW / 2) return consumed - this.narrow(consumed);
    this.sinceChange += consumed;
    if (this.sinceChange < this.window) return consumed;
    this.sinceChange = 0;
    const more = this.budget.take(Math.min(this.window, MAX_WINDOW - this.window));
    this.window += more;
    return consumed + more;
  }

  /** The stream has ended: returns what its window has taken from the budget. */
  release(): void {
    this.narrow(Infinity);
  }

  private narrow(bytes: number): number {
    this.sinceChange = 0;
    const less = Math.min(bytes, this.window - INITIAL_WINDOW);
    this.window -= less;
    this.budget.give(less);
    return less;
  }
}
