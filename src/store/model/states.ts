/** States of a stored request, and the only place that says which transitions are legal. */

/**
 * The state of a stored request.
 *
 * | state | meaning |
 * |---|---|
 * | accepted | stored, and certainly not dispatched |
 * | running | a gateway may have dispatched it |
 * | succeeded, failed | a handler ran, or the request was rejected, and the result is stored |
 * | cancelled | the caller cancelled it |
 * | unknown | it was dispatched, its reply is lost, and it is not idempotent: it may have run |
 */
export type RequestState = 'accepted' | 'running' | FinalState;

/** A state that a request never leaves. */
export type FinalState = 'succeeded' | 'failed' | 'cancelled' | 'unknown';

/** All states, in the order in which a request passes them. */
export const REQUEST_STATES = [
  'accepted',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'unknown',
] as const satisfies readonly RequestState[];

/** `running` → `accepted` happens if the router says that the request was not dispatched. */
const TRANSITIONS: Readonly<Record<RequestState, readonly RequestState[]>> = {
  accepted: ['running', 'failed', 'cancelled'],
  running: ['accepted', 'succeeded', 'failed', 'cancelled', 'unknown'],
  succeeded: [],
  failed: [],
  cancelled: [],
  unknown: [],
};

/** Whether a request may go from one state to another. */
export function isTransition(from: RequestState, to: RequestState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** The states from which a request may go to `to`. */
export function statesBefore(to: RequestState): RequestState[] {
  return REQUEST_STATES.filter((from) => isTransition(from, to));
}

/** Whether a request in this state has ended. */
export function isFinal(state: RequestState): state is FinalState {
  return TRANSITIONS[state].length === 0;
}
