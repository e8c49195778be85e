/**
 * core/messages: the vocabulary of requests. Requests, replies, outcomes and errors as all layers
 * see them, event names, and the interfaces of the embedded mode.
 */

/**
 * Reasons why the reply to a request is no longer needed: the caller cancelled or disconnected, the
 * deadline passed, the connection for the reply was lost, or the node is closing. `withdrawn`: the
 * caller takes the request back, and the router answers whether it was dispatched. The index of a
 * reason is its number on the wire.
 */
export const CANCEL_REASONS = ['cancelled', 'expired', 'lost', 'stopped', 'withdrawn'] as const;

export type CancelReason = (typeof CANCEL_REASONS)[number];

/**
 * The abort reason of a handler's `signal`: a `TimeoutError` for a passed deadline, else an
 * `AbortError`.
 */
export function cancelError(why: CancelReason): Error {
  return new DOMException(TEXTS[why], why === 'expired' ? 'TimeoutError' : 'AbortError');
}

const TEXTS: Readonly<Record<CancelReason, string>> = {
  cancelled: 'the caller cancelled the request, or went away',
  expired: 'the deadline of the request passed',
  lost: 'the connection that the reply would take was lost',
  stopped: 'the node was closed',
  withdrawn: 'the caller took the request back',
};
