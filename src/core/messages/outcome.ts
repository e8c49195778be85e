/**
 * The error catalogue: every way a request can end other than with a worker's own reply.
 *
 * The catalogue is the single source for error classes, for what travels on the wire, for the HTTP status the
 * gateway answers and for `docs/errors.md` (a test keeps the page equal to it).
 */

/** How far a failed request got, and so whether it is safe to send it again. */
export type Retry = 'safe' | 'if-idempotent' | 'no' | 'as-told';

/** One row of the catalogue. */
export interface OutcomeDefinition {
  /** HTTP status the gateway answers with (RFC 9110). */
  readonly status: number;
  /** Short human-readable summary, the `title` of the problem details (RFC 9457). */
  readonly title: string;
  /** Whether the request reached a worker. `undefined` where the question does not arise. */
  readonly dispatched: boolean | undefined;
  /** Whether sending it again is safe. */
  readonly retry: Retry;
  /** What happened. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
}

export const OUTCOMES = {
  INVALID_REQUEST: {
    status: 400,
    title: 'The request breaks the contract',
    dispatched: false,
    retry: 'no',
    meaning: 'The event data does not match what the contract of the event asks for.',
    remedy: 'Mend the faults listed in `errors`; each one names its place by a JSON pointer.',
  },
  NOT_PERMITTED: {
    status: 403,
    title: 'The key does not allow it',
    dispatched: false,
    retry: 'no',
    meaning:
      'The router or server knows the caller by its CURVE key, and the allow list does not grant it this event.',
    remedy:
      'Have the event added to the entry of the key in the allow list; events with `$` are for keys with the role ' +
      '`admin`. The request was not run.',
  },
  NO_WORKER: {
    status: 503,
    title: 'No worker serves this event',
    dispatched: false,
    retry: 'safe',
    meaning: 'The router knows no worker that serves the event, or the last one has gone.',
    remedy: 'Start a worker that serves the event, or check the event name. The request was not run.',
  },
  QUEUE_FULL: {
    status: 503,
    title: 'The queue is full',
    dispatched: false,
    retry: 'safe',
    meaning: 'All workers of the event are busy and its queue, or the memory for all queues, is full.',
    remedy: 'Try again after the time in Retry-After; add workers if it persists. The request was not run.',
  },
  EXPIRED: {
    status: 504,
    title: 'Too little time was left for a worker',
    dispatched: false,
    retry: 'safe',
    meaning:
      'The request waited for a worker until its deadline passed, or until less time was left than its handler usually takes.',
    remedy: 'Allow more time or add workers. The request was not run.',
  },
  TIMEOUT: {
    status: 504,
    title: 'Time ran out at the worker',
    dispatched: true,
    retry: 'if-idempotent',
    meaning:
      'A worker was given the request and did not reply before the deadline; it may still have run it.',
    remedy: 'Send it again only if running it twice does no harm; look at what the worker is doing.',
  },
  WORKER_LOST: {
    status: 502,
    title: 'The worker was lost',
    dispatched: true,
    retry: 'if-idempotent',
    meaning: 'The worker that held the request died or was cut off; it may have run it.',
    remedy:
      'Send it again only if running it twice does no harm. Idempotent requests were already redispatched.',
  },
  NO_ROUTER: {
    status: 503,
    title: 'No router is reachable',
    dispatched: false,
    retry: 'safe',
    meaning: 'The client has no connection to a router or server.',
    remedy: 'Check that the router runs and that the address is right. The request was not sent.',
  },
  HANDLER_ERROR: {
    status: 500,
    title: 'The worker failed',
    dispatched: true,
    retry: 'no',
    meaning:
      'The handler threw something that is no ReplyError. Its detail is in the log of the worker only.',
    remedy: 'Look at the log of the worker; throw a ReplyError for failures that callers should understand.',
  },
  BAD_REPLY: {
    status: 502,
    title: 'The reply could not be used',
    dispatched: true,
    retry: 'no',
    meaning: 'The reply of the worker breaks the wire format, is no JSON, or is larger than the limit.',
    remedy: 'Mend the handler: it must return a JSON value within the size limit.',
  },
  CANCELLED: {
    status: 499,
    title: 'The caller went away',
    dispatched: undefined,
    retry: 'as-told',
    meaning: 'The caller aborted the request, hung up or closed its client before the reply came.',
    remedy: 'Nothing; `dispatched` says whether a worker was given the request.',
  },
  MALFORMED_MESSAGE: {
    status: 400,
    title: 'The message is malformed',
    dispatched: false,
    retry: 'no',
    meaning:
      'The frames of the message are not a request of the protocol, or its event data cannot be read as JSON.',
    remedy: 'Send event_name and event_data as docs/protocol.md describes. The request was not run.',
  },
  NO_HANDLER: {
    status: 501,
    title: 'The worker has no handler for this event',
    dispatched: false,
    retry: 'no',
    meaning: 'The request reached a worker or server that has no handler for the event.',
    remedy: 'Check the event name, or add the handler. The request was not run.',
  },
  BUSY: {
    status: 503,
    title: 'Too many requests are in flight',
    dispatched: false,
    retry: 'safe',
    meaning:
      'A client, server or gateway holds as many requests as it may, or a client sends more a second than its router allows.',
    remedy: 'Try again a little later, or raise the limit. The request was not run.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'The node is shutting down',
    dispatched: false,
    retry: 'safe',
    meaning: 'The router, server or gateway drains and takes no new requests.',
    remedy: 'Send it again: another node, or the restarted one, will take it. The request was not run.',
  },
} as const satisfies Record<string, OutcomeDefinition>;

/** Code of a row of the catalogue. */
export type OutcomeCode = keyof typeof OUTCOMES;

/** Whether `code` is one of the catalogue (a worker's ReplyError may carry any code of its own). */
export function isOutcomeCode(code: string): code is OutcomeCode {
  return Object.hasOwn(OUTCOMES, code);
}

/** The definition of a code, widened so that optional members can be read. */
export function outcomeOf(code: OutcomeCode): OutcomeDefinition {
  return OUTCOMES[code];
}
