/**
 * Limits the hellos of a peer, because each costs work that grows with its events and contract. A
 * worker sends one hello per connection, and another one on request; if it sends them in a loop,
 * they are delayed.
 */

/** Bytes of hellos that may be read at once: twice the largest hello. */
const BURST = 4 * 1024 * 1024;

/** Bytes of hellos read per second on average. */
const RATE = 64 * 1024;

export class HelloBudget {
  private left = BURST;
  private at: number | undefined;

  /**
   * Takes the bytes of a hello from the budget.
   *
   * @returns how long the hello has to wait, in ms; 0 if it may be read now.
   */
  take(bytes: number, now: number): number {
    const cost = Math.min(bytes, BURST);
    this.left = Math.min(BURST, this.left + ((now - (this.at ?? now)) / 1000) * RATE);
    this.at = now;
    if (cost > this.left) return Math.ceil(((cost - this.left) / RATE) * 1000);
    this.left -= cost;
    return 0;
  }
}
