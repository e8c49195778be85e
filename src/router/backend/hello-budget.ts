/**
 * Limits the CPU time that a peer can cause with hellos. A worker sends one hello per connection, and
 * another one on request; if it sends them in a loop, they are delayed. The budget is in bytes. An
 * event or an operation counts as many bytes as the router reads in the same CPU time, so that one
 * connection takes at most 4 % of a core on average (`npm run bench:micro`).
 */

/** Maximum cost of hellos that may be read at once: twice the largest hello. */
const BURST = 4 * 1024 * 1024;

/** Cost of hellos read per second on average. */
const RATE = 64 * 1024;

/** Cost of an event in a hello that differs from the last one. */
const EVENT_COST = 32;

/** Cost of an operation of a new contract, most of it for the check. */
const OPERATION_COST = 512;

/** Maximum number of peers whose debts are known. */
const MAX_OWNERS = 10_000;

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
    this.refill(now);
    if (cost > this.left) return Math.ceil(((cost - this.left) / RATE) * 1000);
    this.left -= cost;
    return 0;
  }

  /** Charges the events and operations of a hello that differs from the last one. The next hello may have to wait. */
  charge(events: number, operations: number): void {
    this.left -= events * EVENT_COST + operations * OPERATION_COST;
  }

  /** Charges what an earlier connection of the peer used up. */
  owe(debt: number): void {
    this.left -= debt;
  }

  /** What was used up and is not refilled yet. */
  debt(now: number): number {
    this.refill(now);
    return BURST - this.left;
  }

  private refill(now: number): void {
    this.left = Math.min(BURST, this.left + ((now - (this.at ?? now)) / 1000) * RATE);
    this.at = now;
  }
}

/** What connections that have ended used up of their budgets. It becomes less at the rate of a budget. */
export class HelloDebts {
  private readonly debts = new Map<string, { bytes: number; at: number }>();

  /** Adds the debt of a connection that has ended. */
  add(owner: string, debt: number, now: number): void {
    const bytes = this.rest(owner, now) + debt;
    this.debts.delete(owner);
    if (bytes <= 0) return;
    this.debts.set(owner, { bytes, at: now });
    for (const oldest of this.debts.keys()) {
      if (this.debts.size <= MAX_OWNERS) break;
      this.debts.delete(oldest);
    }
  }

  /** Takes over the debt for a new connection, at most one whole budget. Others may share the owner. */
  take(owner: string, now: number): number {
    const rest = this.rest(owner, now);
    const taken = Math.min(rest, BURST);
    this.debts.delete(owner);
    this.add(owner, rest - taken, now);
    return taken;
  }

  private rest(owner: string, now: number): number {
    const debt = this.debts.get(owner);
    return debt === undefined ? 0 : Math.max(0, debt.bytes - ((now - debt.at) / 1000) * RATE);
  }
}
