/** Outcomes that the store has not taken. They are stored again and again until it does. */
import type { Hold, Outcome } from '../../store/index.ts';

/** Maximum outcomes that wait for the store. */
const MAX_UNFINISHED = 10_000;
/** Maximum requests that may be stored although the store reported a failure. */
const MAX_DOUBTFUL = 1000;
/** Outcomes that are stored at once. */
const PARALLEL = 20;

/** The outcome of a request that did not run: its key can be used again at once. */
export const NOT_RUN: Outcome = { state: 'failed', code: 'NOT_RUN', retention: 0 };

export class Unfinished {
  private readonly outcomes = new Map<string, { hold: Hold; outcome: Outcome }>();

  /** Returns whether there was room for another one. */
  add(hold: Hold, outcome: Outcome): boolean {
    return this.addWithin(MAX_UNFINISHED, hold, outcome);
  }

  /** Adds a request that may be stored although the store reported a failure. It has not run. */
  forget(hold: Hold): void {
    this.addWithin(MAX_DOUBTFUL, hold, NOT_RUN);
  }

  /** Stores the outcomes with `finish`. One that rejects is kept, and so are those that follow it. */
  async repeat(finish: (hold: Hold, outcome: Outcome) => Promise<void>): Promise<void> {
    const rest = [...this.outcomes.values()];
    for (let from = 0; from < rest.length; from += PARALLEL) {
      const some = rest.slice(from, from + PARALLEL).map(async ({ hold, outcome }) => {
        await finish(hold, outcome);
        this.outcomes.delete(hold.id);
      });
      await Promise.all(some);
    }
  }

  private addWithin(maximum: number, hold: Hold, outcome: Outcome): boolean {
    if (this.outcomes.size >= maximum) return false;
    this.outcomes.set(hold.id, { hold, outcome });
    return true;
  }
}
