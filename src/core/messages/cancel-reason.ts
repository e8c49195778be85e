/**
 * Why nobody waits for the reply of a request any more: the caller cancelled or went away, its time ran out, the
 * connection that the reply would take was lost, or the node stops. Their places are their numbers on the wire.
 */
export const CANCEL_REASONS = ['cancelled', 'expired', 'lost', 'stopped'] as const;

export type CancelReason = (typeof CANCEL_REASONS)[number];

/** What a handler's `signal` says: a `TimeoutError` when time ran out, else an `AbortError`. */
export function cancelError(why: CancelReason): Error {
  return new DOMException(TEXTS[why], why === 'expired' ? 'TimeoutError' : 'AbortError');
}

const TEXTS: Readonly<Record<CancelReason, string>> = {
  cancelled: 'the caller cancelled the request, or went away',
  expired: 'the deadline of the request passed',
  lost: 'the connection that the reply would take was lost',
  stopped: 'the node was closed',
};
