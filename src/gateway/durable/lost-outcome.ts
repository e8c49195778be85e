/** How requests end whose gateway is gone. */
import type { Outcome, StoredRequest } from '../../store/index.ts';

/**
 * The outcome of a request that its caller waited for, and whose gateway is gone. If it may have run
 * and must not run twice, its outcome is unknown. Otherwise it is deleted, so that a retry with its
 * key runs.
 */
export function lostOutcome({ state, idempotent, cancelRequested }: StoredRequest): Outcome {
  if (state === 'running' && !idempotent) return { state: 'unknown', code: 'GATEWAY_LOST' };
  if (cancelRequested && state === 'running') return { state: 'cancelled', code: 'CANCELLED', retention: 0 };
  return { state: 'failed', code: 'GATEWAY_LOST', retention: 0 };
}
