/** The errors of requests that are stored: with an idempotency key, or asynchronous. */
export const STORED_PROBLEMS = {
  IDEMPOTENCY_KEY_MISSING: {
    status: 400,
    title: 'The header Idempotency-Key is missing',
    remedy: 'Send a new unique value, such as a UUID, and the same value with each retry.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    title: 'The header Idempotency-Key is not valid',
    remedy: 'Send one string in double quotes, such as a UUID.',
  },
  IDEMPOTENCY_KEY_RUNNING: {
    status: 409,
    title: 'The request with this Idempotency-Key is still running',
    remedy: 'Wait for the number of seconds in Retry-After, and send the same request again.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    remedy: 'Use a new key for each request; repeat the same data only to retry.',
  },
  OUTCOME_UNKNOWN: {
    status: 502,
    title: 'The outcome of the request is unknown',
    remedy: 'Check whether the request took effect; if it did not, send it with a new key.',
  },
  REQUEST_NOT_FOUND: {
    status: 404,
    title: 'No such request',
    remedy: 'Check the id and the credentials; an ended request is deleted after stored.retention.',
  },
  REQUEST_RUNNING: {
    status: 409,
    title: 'The request has not ended',
    remedy: 'Wait for the number of seconds in Retry-After, or send Prefer: wait=N.',
  },
  REQUEST_CANCELLED: {
    status: 409,
    title: 'The request was cancelled',
    remedy: 'Send the request with a new key to run it.',
  },
  RESULT_TOO_LARGE: {
    status: 410,
    title: 'The reply of the request was too large to be stored',
    remedy: 'Fetch the result in another way, or raise stored.result. The request has run.',
  },
  STORE_QUOTA: {
    status: 429,
    title: 'Too many stored requests of this caller',
    remedy: 'Wait until former requests expire, or raise stored.requestsPerCaller and stored.bytesPerCaller.',
  },
  STORE_FULL: {
    status: 503,
    title: 'The store of requests is full',
    remedy:
      'Wait until former requests expire, or raise stored.requests and stored.bytes. The request has not run.',
  },
  STORE_UNAVAILABLE: {
    status: 503,
    title: 'The store of requests cannot be used',
    remedy:
      'Try again after Retry-After, with the same Idempotency-Key; the log of the gateway has the reason. `dispatched` says whether the request may have run.',
  },
} as const;
