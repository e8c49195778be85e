/** All results, for counters that begin at 0. */
export const KEY_RESULTS = ['run', 'replayed', 'running', 'reused', 'unknown', 'rejected'] as const;

/** How the gateway handled a request with an idempotency key. */
export type KeyResult = (typeof KEY_RESULTS)[number];
