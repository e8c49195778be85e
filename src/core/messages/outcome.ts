/**
 * The error catalogue: every outcome of a request other than the worker's own reply.
 *
 * It is the single source for error classes, codes on the wire, HTTP statuses of the gateway and
 * `docs/errors.md` (a test keeps the page equal to it).
 */

/** Whether a failed request may be sent again; `if-not-dispatched` refers to the reply. */
export type Retry = 'safe' | 'if-idempotent' | 'no' | 'if-not-dispatched';

/** One row of the catalogue. */
export interface OutcomeDefinition {
  /** HTTP status the gateway answers with (RFC 9110). */
  readonly status: number;
  /** Short human-readable summary, the `title` of the problem details (RFC 9457). */
  readonly title: string;
  /** Whether the request was dispatched to a worker; `undefined` if both are possible. */
  readonly dispatched: boolean | undefined;
  /** Whether the request may be sent again. */
  readonly retry: Retry;
  /** What happened. */
  readonly meaning: string;
  /** What to do. */
  readonly remedy: string;
}

/** The error catalogue: every {@link OutcomeCode} with its HTTP status, meaning and remedy. */
export const OUTCOMES = {
  INVALID_REQUEST: {
    status: 400,
    title: 'The request does not match the contract',
    dispatched: false,
    retry: 'no',
    meaning: 'The event data does not match the contract of the event.',
    remedy: 'Fix the problems in `errors`; each has a JSON Pointer to the invalid value.',
  },
  NOT_PERMITTED: {
    status: 403,
    title: 'The key does not permit this event',
    dispatched: false,
    retry: 'no',
    meaning: "The allow list entry of the caller's CURVE key does not permit this event.",
    remedy:
      'Add the event to the allow list entry of the key; events with `$` require the role `admin`. The request has not ' +
      'run.',
  },
  NO_WORKER: {
    status: 503,
    title: 'No worker serves this event',
    dispatched: false,
    retry: 'safe',
    meaning: 'No worker of the router serves the event, or the last one has left.',
    remedy: 'Start a worker that serves the event, or check the event name. The request has not run.',
  },
  QUEUE_FULL: {
    status: 503,
    title: 'The queue is full',
    dispatched: false,
    retry: 'safe',
    meaning: 'All workers of the event are busy, and its queue or the memory for all queues is full.',
    remedy: 'Try again after the time in Retry-After; add workers if it persists. The request has not run.',
  },
  EXPIRED: {
    status: 504,
    title: 'The deadline passed in the queue',
    dispatched: false,
    retry: 'safe',
    meaning:
      'The request was queued until its deadline passed, or until less time was left than its handler usually takes.',
    remedy: 'Increase the timeout or add workers. The request has not run.',
  },
  TIMEOUT: {
    status: 504,
    title: 'The worker did not reply in time',
    dispatched: true,
    retry: 'if-idempotent',
    meaning:
      'The request was dispatched to a worker, which did not reply before the deadline. It may have run.',
    remedy: 'Retry only if the request may run twice; check what the worker is doing.',
  },
  WORKER_LOST: {
    status: 502,
    title: 'The worker was lost',
    dispatched: true,
    retry: 'if-idempotent',
    meaning: 'The worker that held the request died or was disconnected. The request may have run.',
    remedy: 'Retry only if the request may run twice. Idempotent requests were already redispatched.',
  },
  NO_ROUTER: {
    status: 503,
    title: 'No router is reachable',
    dispatched: false,
    retry: 'safe',
    meaning: 'The client has no connection to a router or server.',
    remedy: 'Check that the router is running and that the address is correct. The request was not sent.',
  },
  HANDLER_ERROR: {
    status: 500,
    title: 'The worker failed',
    dispatched: true,
    retry: 'no',
    meaning:
      'The handler threw an error other than ReplyError. Its details are only in the log of the worker.',
    remedy: 'Check the log of the worker; throw a ReplyError for failures that callers should understand.',
  },
  BAD_REPLY: {
    status: 502,
    title: 'The reply is not valid',
    dispatched: true,
    retry: 'no',
    meaning: 'The reply of the worker is malformed, is not valid JSON, or exceeds the size limit.',
    remedy: 'Fix the handler: it must return a JSON value within the size limit.',
  },
  CANCELLED: {
    status: 499,
    title: 'The caller cancelled the request',
    dispatched: undefined,
    retry: 'if-not-dispatched',
    meaning: 'The caller aborted the request, disconnected or closed its client before the reply arrived.',
    remedy: 'No action needed; `dispatched` states whether a worker received the request.',
  },
  MALFORMED_MESSAGE: {
    status: 400,
    title: 'The message is malformed',
    dispatched: false,
    retry: 'no',
    meaning: 'The frames of the message are not a valid request, or its event data is not valid JSON.',
    remedy: 'Send event_name and event_data as docs/protocol/index.md describes. The request has not run.',
  },
  NO_HANDLER: {
    status: 501,
    title: 'The worker has no handler for this event',
    dispatched: false,
    retry: 'no',
    meaning: 'The request reached a worker or server that has no handler for the event.',
    remedy: 'Check the event name, or add a handler. The request has not run.',
  },
  LOOP: {
    // RFC 5842, section 7.2: 508 Loop Detected.
    status: 508,
    title: 'Workers call each other without end',
    dispatched: false,
    retry: 'no',
    meaning:
      'A handler called an event at a depth of more than 16 calls: workers probably call each other in a circle.',
    remedy: 'Check which events the handlers call with `context.call`. The call has not run.',
  },
  CALLS_UNSUPPORTED: {
    status: 501,
    title: 'The router takes no calls of workers',
    dispatched: false,
    retry: 'no',
    meaning:
      'A handler called an event, but no router of its worker takes calls: it is a classic router, a blind proxy, or a ' +
      'router of an earlier version.',
    remedy: 'Use a ZeroMQRouter of this version in front of the worker. The call was not sent.',
  },
  STREAMS_UNSUPPORTED: {
    status: 501,
    title: 'A node on the way takes no streams',
    dispatched: false,
    retry: 'no',
    meaning:
      'The request has a body that is sent as a stream, but its router, server or worker takes no streams: it is a ' +
      'classic node, or a node of an earlier version.',
    remedy: 'Use nodes of this version, or send the body as part of the event data. The request has not run.',
  },
  BUSY: {
    status: 503,
    title: 'Too many requests are in flight',
    dispatched: false,
    retry: 'safe',
    meaning:
      'A client, server or gateway has reached its limit of requests in flight, or a client exceeds the rate that its router allows.',
    remedy: 'Try again later, or raise the limit. The request has not run.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'The node is shutting down',
    dispatched: false,
    retry: 'safe',
    meaning: 'The router, server or gateway is draining and accepts no new requests.',
    remedy: 'Retry: another node, or the restarted one, will accept the request. It has not run.',
  },
} as const satisfies Record<string, OutcomeDefinition>;

/** Code of an outcome in the catalogue. */
export type OutcomeCode = keyof typeof OUTCOMES;

/** Whether the catalogue contains `code`. A worker's ReplyError may have any other code. */
export function isOutcomeCode(code: string): code is OutcomeCode {
  return Object.hasOwn(OUTCOMES, code);
}

/** Returns the definition of a code, widened so that `dispatched` may be undefined. */
export function outcomeOf(code: OutcomeCode): OutcomeDefinition {
  return OUTCOMES[code];
}
