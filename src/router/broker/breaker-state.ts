/** The state of one circuit breaker; `breaker.ts` changes it. */
import type { BreakerState } from '../../core/observability/reports.ts';
import type { TimerEntry } from './timers.ts';

/**
 * The consecutive failures of one worker and event, or of one event, and the state that follows
 * from them.
 */
export class Breaker {
  state: BreakerState = 'closed';
  failures = 0;
  openDuration = 0;
  /** Whether the one request that a half-open breaker admits is in flight. */
  probing = false;
  timer: TimerEntry | undefined = undefined;

  /**
   * Whether the breaker blocks a request.
   *
   * @param fresh whether the request has enough time left to show that the worker recovered.
   */
  blocks(fresh: boolean): boolean {
    return this.state === 'open' || (this.state === 'half-open' && (this.probing || !fresh));
  }
}
