/**
 * Requests and replies as all layers see them, independent of the wire format.
 *
 * Bodies are UTF-8 JSON and stay bytes until a node needs the value. The router and the gateway
 * never parse the body of a reply.
 */
import type { OutcomeCode } from './outcome.ts';
import { outcomeOf } from './outcome.ts';

/** An empty buffer, shared by all layers; never written to. */
export const NO_BYTES: Buffer = Buffer.alloc(0);

/** A request for a worker. */
export interface RequestMessage {
  readonly eventName: string;
  /** Event data, UTF-8 JSON. */
  body: Buffer;
  /** Milliseconds until the caller's deadline; 0 when the caller did not say. */
  timeLeft: number;
  /** Whether running the request twice is safe. */
  readonly idempotent: boolean;
  /** Id of the request for logs; empty when the caller set none. */
  readonly requestId: string;
  /**
   * Further metadata (`RequestExtras`) as JSON bytes, passed through unparsed. Empty when there is
   * none.
   */
  readonly extras: Buffer;
  /**
   * Bytes of the reply that the caller takes as a stream before its first grant. Absent: it takes
   * only a whole reply.
   */
  readonly window?: number;
  /** Whether chunks of a request body follow. */
  readonly upload?: boolean;
  /** Whether the caller takes the progress that the handler reports. */
  readonly progress?: boolean;
}

/** Metadata in the `extras` of a request. Nodes ignore unknown keys. */
export interface RequestExtras {
  /** W3C trace context: trace and parent span. */
  traceparent?: string;
  /** W3C trace context: state of tracing vendors. */
  tracestate?: string;
  /** Media type of the HTTP body, when it was not JSON. */
  contentType?: string;
  /** The HTTP caller that the gateway authenticated. */
  caller?: Caller;
  /** Key for sticky routing. */
  key?: string;
  /** Version of the contract whose workers alone may receive the request. */
  version?: string;
  /** Total time allowed, in milliseconds. A caller sets it to receive `timing` in the reply. */
  timing?: number;
  /** Depth of a call between workers, 1 to 16; absent in requests of clients. */
  depth?: number;
  /** Value of the HTTP header `Range`. */
  range?: string;
  /** Value of the HTTP header `If-Range`. */
  ifRange?: string;
  /** Value of the HTTP header `Last-Event-ID`. */
  lastEventId?: string;
  /** Idempotency key of the HTTP request. */
  idempotencyKey?: string;
  /** Set when the HTTP caller wants no body. */
  method?: 'HEAD';
}

/** An authenticated caller. */
export interface Caller {
  /** Its identifier: the subject of its token, or the name of its API key. */
  readonly id: string;
  /** Scopes that its credentials grant. */
  readonly scopes?: readonly string[];
  /** Claims of its token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A reply for the caller. */
export interface ReplyMessage {
  /** HTTP status; 200 unless the handler set another one. */
  readonly status: number;
  /** Empty on success; on failure an outcome code, or the worker's own code from a `ReplyError`. */
  readonly code: string;
  /** Whether the request was dispatched to a worker. */
  readonly dispatched: boolean;
  /** Whether this is a chunk of a stream: more parts of the reply follow. */
  readonly more: boolean;
  /** Media type of the body; empty means application/json. */
  readonly contentType: string;
  /**
   * Further metadata (`ReplyExtras`) as JSON bytes, passed through unparsed. Empty when there is
   * none.
   */
  readonly extras: Buffer;
  /** Event data. On failure an {@link ErrorData} as JSON. */
  body: Buffer;
}

/** Metadata in the `extras` of a reply. Nodes ignore unknown keys. */
export interface ReplyExtras {
  /** HTTP response headers that the handler set. */
  headers?: Record<string, string>;
  /**
   * Set when the request asked for it. `queue`: milliseconds in queues and on the network until the
   * handler started, computed from the deadline, which travels in whole milliseconds. `handler`:
   * milliseconds in the handler.
   */
  timing?: { queue?: number; handler?: number };
}

/**
 * Event data of a failure, the same on every wire: classic callers receive exactly this as
 * `event_data`.
 */
export interface ErrorData {
  /** The failure. */
  readonly error: {
    /** Outcome code of the catalogue, or the code of the worker's `ReplyError`. */
    readonly code: string;
    /** Text for people. */
    readonly message: string;
    /** Whether the request was dispatched to a worker, and so may have run. */
    readonly dispatched?: boolean;
    /** Further data, such as the validation errors of `INVALID_REQUEST`. */
    readonly details?: unknown;
  };
}

/** Creates the reply for a failed request. */
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

/** A request for a {@link Requester}. */
export interface OutgoingRequest {
  /** Name of the event, such as `tasks.get`. */
  readonly eventName: string;
  /** Event data, UTF-8 JSON. */
  readonly body: Buffer;
  /** Total time allowed in milliseconds, including queueing, retries and hops. */
  readonly timeout: number;
  /** Whether running the request twice is safe. */
  readonly idempotent: boolean;
  /** Id of the request for logs. */
  readonly requestId?: string;
  /** Metadata that travels with the request. */
  readonly extras?: RequestExtras;
  /** Takes the reply as a stream, and sends a request body as a stream. Absent: whole messages. */
  readonly stream?: StreamPort;
  /**
   * Receives the JSON of each progress that the handler reports, if all nodes on the way pass it on.
   * The sender may leave out a progress that a later one replaces.
   */
  readonly onProgress?: (json: Buffer) => void;
}

/** Receives a reply as a stream, and learns how much of the request body may be sent. */
export interface StreamPort {
  /**
   * Bytes of the reply that the caller takes before its first grant. 0: it takes only a whole
   * reply.
   */
  readonly window: number;
  /** Whether chunks of a request body follow ({@link InFlight.sendChunk}). */
  readonly upload: boolean;
  /**
   * Receives a chunk of the reply; its `more` is true. The last part, whose `more` is false, goes to
   * `settle`. Only the first chunk has a status, a content type and extras that count.
   */
  onChunk(reply: ReplyMessage): void;
  /**
   * The worker takes `bytes` more of the request body. Called first when a worker holds the request.
   */
  onWindow(bytes: number): void;
}

/** Receives the reply to a request. */
export type Settle = (reply: ReplyMessage) => void;

/**
 * Calls `settle`. If it throws, the error becomes an uncaught exception of the process, so that the
 * other replies in the same batch are still delivered.
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

/** Handle of a request or call in flight that can be cancelled. */
export interface Cancellable {
  /** Cancels the request and informs the worker, if it has it. `settle` is not called. */
  cancel(): void;
}

/** Handle of a request in flight. */
export interface InFlight extends Cancellable {
  /**
   * False while the request has certainly not been dispatched to a worker. Absent if that is not
   * known.
   */
  readonly dispatched?: boolean;
  /**
   * Takes the request back, like `cancel`, and calls `settle`: with `CANCELLED`, whose `dispatched`
   * says whether a worker may have it, or with the reply if that was faster. The peer may never
   * answer, for example a server or a router of an earlier version. Absent if `dispatched` is present.
   */
  withdraw?(): void;
  /**
   * Lets the worker send `bytes` more of the reply. Has no effect on a request without `stream`, or
   * on a settled one.
   */
  grant(bytes: number): void;
  /**
   * Sends a chunk of the request body. The sender keeps to the window that `onWindow` of its
   * `stream` granted.
   *
   * @param end whether it is the last chunk.
   */
  sendChunk(body: Buffer, end: boolean): void;
}

/**
 * Sends requests and delivers their replies: a client, or the router itself in embedded mode. The
 * gateway reaches ZeroMQ through this interface only.
 */
export interface Requester {
  /** Whether a request sent now would reach a router. */
  readonly reachable: boolean;
  /**
   * Sends a request.
   *
   * @param request the request.
   * @param settle receives the reply: exactly once and never synchronously, unless the request is
   * cancelled. Failures are replies with a `code`.
   * @returns a handle that cancels the request.
   */
  request(request: OutgoingRequest, settle: Settle): InFlight;
}
