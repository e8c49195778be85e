/** Hooks: functions of the operator that see and change the requests of a gateway. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../../core/messages/message.ts';
import type { GatewayLogger } from './api-source.ts';
import type { RequestIssue } from './problem.ts';

/** The operation of a request, as the document defines it. */
export interface HookOperation {
  /** Name of its event. */
  readonly eventName: string;
  /** HTTP method in upper case. */
  readonly method: string;
  /** Path template, such as `/tasks/{id}`. */
  readonly path: string;
  /** `operationId` of the document; undefined if it has none. */
  readonly operationId: string | undefined;
}

/** Values of {@link HookRequest.state}. A module can declare its members by merging. */
export interface HookState {
  [name: string]: unknown;
}

/** A request, as its hooks see it. All hooks of a request receive the same object. */
export interface HookRequest {
  /** Id of the request, in logs and in the response. */
  readonly requestId: string;
  /** HTTP method, such as `HEAD`. */
  readonly method: string;
  /** Path as the client sent it, without the query. */
  readonly path: string;
  /** Query of the request. Changes have no effect. */
  readonly query: URLSearchParams;
  /**
   * Request headers by lower-case name. Changes by `onRequest` count for authentication, rate
   * limits and parameters.
   */
  readonly headers: IncomingHttpHeaders;
  /** Address of the client, behind trusted proxies. */
  readonly client: string;
  /** The operation; undefined for unknown paths and methods, which only `onProblem` sees. */
  readonly operation: HookOperation | undefined;
  /**
   * The caller that workers see. `onRequest` and `onEvent` can set it. Where the document requires
   * credentials, the authenticated caller replaces the one of `onRequest`.
   */
  caller: Caller | undefined;
  /** Aborts when the client disconnects, or after the response. */
  readonly signal: AbortSignal;
  /** Values that the hooks of a request pass to each other. Empty at first. */
  readonly state: HookState;
  /** Logger of the gateway. */
  readonly log: GatewayLogger;
}

/** The event that the gateway is about to send. */
export interface HookEvent {
  /** Name of the event. Another name sends the request to the workers of that event. */
  name: string;
  /**
   * Event data. Changes, also within it, are sent. The gateway does not validate them again; workers
   * validate event data by their contracts. A changed value is written anew, with the precision of
   * JavaScript numbers.
   */
  data: unknown;
  /** Bytes of the unchanged event data. */
  readonly body: Buffer;
  /** Request timeout, in milliseconds. */
  timeout: number;
  /** Whether the request may run twice, so that it is redispatched when its worker is lost. */
  idempotent: boolean;
}

/** A successful reply, before conditions, compression and the check of replies. */
export interface HookReply {
  /** HTTP status, 200 to 599. */
  status: number;
  /** Response headers by lower-case name, `content-type` included. */
  headers: Record<string, string | readonly string[]>;
  /**
   * Data of the reply: the parsed JSON, or a Buffer for other media types. Changes, also within it,
   * are sent. A Buffer or text is sent unchanged if the media type is not JSON.
   */
  data: unknown;
  /** Bytes of the unchanged body. */
  readonly body: Buffer;
  /** Whether a worker sent the reply; false for the answer of a hook. */
  readonly fromWorker: boolean;
}

/** An error response, before it is written as problem details (RFC 9457). */
export interface HookProblem {
  /** Stable upper-case identifier, such as `NO_WORKER`; the last part of `type`. */
  code: string;
  /** HTTP status, 400 to 599. */
  status: number;
  /** Short text of the kind of the problem. */
  title: string;
  /** Text about this request. */
  detail: string;
  /** Whether the request may have reached a worker. */
  readonly dispatched: boolean | undefined;
  /** Invalid values of the request, for `INVALID_REQUEST`. */
  errors: readonly RequestIssue[] | undefined;
  /** Further data for the caller. */
  details: unknown;
  /** Response headers of the problem by lower-case name. Those that a worker set are not listed. */
  headers: Record<string, string | readonly string[]>;
}

/** The answer of a hook. `reply(status, data, headers)` creates one. */
export interface HookAnswer {
  /**
   * HTTP status, 200 to 599.
   *
   * @defaultValue 200
   */
  readonly status?: number;
  /**
   * A JSON value; with a `content-type` header, a Buffer or text is sent unchanged.
   *
   * @defaultValue null
   */
  readonly data?: unknown;
  /** Response headers. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** Result of a hook: an answer, or undefined to continue with what the hook may have changed. */
export type HookResult = HookAnswer | undefined | void;

/**
 * Functions that the gateway calls for the requests of its operations. Each may be synchronous or
 * asynchronous, change what it receives, return an answer, or throw a `ReplyError` that becomes the
 * problem of the response.
 *
 * Any other error is logged and becomes `HOOK_ERROR`, as does a hook that takes longer than the
 * request timeout.
 *
 * @example
 * ```ts
 * const hooks: GatewayHooks = {
 *   onReply(reply) {
 *     reply.headers['cache-control'] ??= 'no-store';
 *   },
 * };
 * ```
 */
export interface GatewayHooks {
  /**
   * Called when the operation is known, before rate limits, authentication and the body.
   *
   * @param request the request; its headers and caller may be changed.
   */
  onRequest?(request: HookRequest): HookResult | Promise<HookResult>;
  /**
   * Called after authentication and validation, before the event is sent.
   *
   * @param event the event; its name, data, timeout and idempotency may be changed.
   * @param request the request; its caller may be changed.
   */
  onEvent?(event: HookEvent, request: HookRequest): HookResult | Promise<HookResult>;
  /**
   * Called with each successful reply, including the answers of other hooks. The body of a streamed
   * reply is empty here.
   *
   * @param reply the reply; its status, headers and data may be changed.
   * @param request the request.
   */
  onReply?(reply: HookReply, request: HookRequest): HookResult | Promise<HookResult>;
  /**
   * Called with each error response. An error of this hook is logged, and the problem stays.
   *
   * @param problem the problem; all of it may be changed.
   * @param request the request.
   */
  onProblem?(problem: HookProblem, request: HookRequest): HookResult | Promise<HookResult>;
}
