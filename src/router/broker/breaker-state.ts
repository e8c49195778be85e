/** The state of one circuit breaker; `breaker.ts` changes it. */
import type { BreakerState } from '../../core/observability/reports.ts';
import type { TimerEntry } from './timers.ts';

/** How often something failed, and whether it rests. */
export class Breaker {
  state: BreakerState = 'closed';
  failures = 0;
  rest = 0;
  /** The one request of a half-open breaker is under way. */
  probing = false;
  alarm: TimerEntry | undefined = undefined;

  /** Whether it lets no request pass. @param fresh the request has enough time to show whether the worker recovered. */
  blocks(fresh: boolean): boolean {
    return this.state === 'open' || (this.state === 'half-open' && (this.probing || !fresh));
  }
}
