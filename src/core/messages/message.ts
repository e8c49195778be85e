/**
 * Requests and replies as every layer sees them, whatever wire they came by.
 *
 * Bodies are UTF-8 JSON and stay bytes until somebody needs the value: the router and the gateway never parse
 * a reply.
 */
import type { OutcomeCode } from './outcome.ts';
import { outcomeOf } from './outcome.ts';

/** An empty body; never written to. */
export const NO_BYTES: Buffer = Buffer.alloc(0);

/** A request on its way to a worker. */
export interface RequestMessage {
  readonly eventName: string;
  /** Event data, UTF-8 JSON. */
  body: Buffer;
  /** Milliseconds the caller still waits; 0 when it did not say. */
  timeLeft: number;
  /** Whether it may be run twice. */
  readonly idempotent: boolean;
  /** Id of the request for logs; empty when the caller gave none. */
  readonly requestId: string;
  /** Further metadata (`RequestExtras`) as JSON bytes, passed through unparsed. Empty when there is none. */
  readonly extras: Buffer;
}

/** What may travel in `extras` of a request. Unknown keys are ignored. */
export interface RequestExtras {
  /** W3C trace context. */
  traceparent?: string;
  tracestate?: string;
  /** Media type of the original HTTP body, where it was not JSON. */
  contentType?: string;
  /** Who is calling, as the gateway authenticated it. */
  caller?: Caller;
  /** Key for sticky routing. */
  key?: string;
  /** Time for the request in all, in ms; given by a caller who asks for `timing` in the reply. */
  timing?: number;
}

/** Who is calling. */
export interface Caller {
  readonly id: string;
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A reply on its way to the caller. */
export interface ReplyMessage {
  /** HTTP-like status; 200 unless the handler said otherwise. */
  readonly status: number;
  /** Empty on success; a code of the catalogue, or a worker's own (from ReplyError), on failure. */
  readonly code: string;
  /** Whether a worker was given the request. */
  readonly dispatched: boolean;
  /** More replies to the same request follow. */
  readonly more: boolean;
  /** Media type of the body; empty means application/json. */
  readonly contentType: string;
  /** Further metadata (`ReplyExtras`) as JSON bytes, passed through unparsed. Empty when there is none. */
  readonly extras: Buffer;
  /** Event data. On failure a JSON `ErrorData`. */
  body: Buffer;
}

/** What may travel in `extras` of a reply. Unknown keys are ignored. */
export interface ReplyExtras {
  /** HTTP response headers the handler set. */
  headers?: Record<string, string>;
  /**
   * Where the request asked for it, milliseconds until a handler had it (in queues and under way) and in the
   * handler. The former is told by the deadline that travels, which is in whole milliseconds.
   */
  timing?: { queue?: number; handler?: number };
}

/** Event data of a failure, on every wire: classic callers see exactly this as `event_data`. */
export interface ErrorData {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly dispatched?: boolean;
    readonly details?: unknown;
  };
}

/** A failure as a reply. */
export function failure(
  code: OutcomeCode,
  message: string,
  options: { dispatched?: boolean; details?: unknown } = {},
): ReplyMessage {
  const definition = outcomeOf(code);
  const dispatched = options.dispatched ?? definition.dispatched ?? false;
  const data: ErrorData = { error: { code, message, dispatched, details: options.details } };
  return {
    status: definition.status,
    code,
    dispatched,
    more: false,
    contentType: '',
    extras: NO_BYTES,
    body: Buffer.from(JSON.stringify(data)),
  };
}

/** A request handed to a requester. */
export interface OutgoingRequest {
  readonly eventName: string;
  /** Event data, UTF-8 JSON. */
  readonly body: Buffer;
  /** Total time allowed, in milliseconds, over queueing, retries and hops. */
  readonly timeout: number;
  readonly idempotent: boolean;
  readonly requestId?: string;
  readonly extras?: RequestExtras;
}

/** What a requester calls with the reply. */
export type Settle = (reply: ReplyMessage) => void;

/**
 * Calls a requester's `settle`. One that throws must not harm the requests of others whose replies came in the same
 * batch: its error becomes an uncaught exception of the process.
 */
export function settleSafely(settle: Settle, reply: ReplyMessage): void {
  try {
    settle(reply);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** A request under way. */
export interface InFlight {
  /** Nobody waits any more: frees the request here and tells the worker. Its `settle` is not called. */
  cancel(): void;
}

/**
 * Something that takes an event and gives its reply: a client, or in the embedded mode the router itself.
 * The gateway knows no more of ZeroMQ than this.
 */
export interface Requester {
  /** Whether a request would find a router now. */
  readonly reachable: boolean;
  /**
   * Sends a request. `settle` is called exactly once, never synchronously, unless the request is cancelled;
   * failures are replies with a `code`.
   */
  request(request: OutgoingRequest, settle: Settle): InFlight;
}
