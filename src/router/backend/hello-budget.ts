/**
 * How much a peer may have the router read of hellos: each costs work that grows with the contract and the events in it.
 * A worker says hello once a connection, and again when it is asked to; one that does so in a loop has to wait.
 */

/** Bytes of hellos that are read at once: the largest one, twice. */
const BURST = 4 * 1024 * 1024;

/** Bytes of hellos a second that are read on average. */
const RATE = 64 * 1024;

export class HelloBudget {
  private left = BURST;
  private at: number | undefined;

  /**
   * Takes the bytes of a hello.
   * @returns how long (ms) the hello has to wait; 0 when it was taken.
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
