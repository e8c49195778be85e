/** Options of a request of application code: of a client, or of a handler that calls an event. */
import type { RequestExtras } from './message.ts';

/** Options of a request of a client, and of a call of a handler. */
export interface SendOptions {
  /**
   * Request timeout in ms, for queueing, retries and handler.
   *
   * @defaultValue that of the client; of a call, the time left of the handler's request. A call
   *   never has more time than that.
   */
  timeout?: number;
  /** Aborting rejects with `CANCELLED` and cancels the request. @defaultValue none */
  signal?: AbortSignal;
  /**
   * Whether the event may run more than once. If so, the request is sent again when its worker, or
   * the connection to its router, is lost before the reply arrives.
   *
   * @defaultValue false
   */
  idempotent?: boolean;
  /**
   * Id for logs: 1 to 255 printable ASCII characters.
   *
   * @defaultValue none; of a call, that of the handler's request
   */
  requestId?: string;
  /**
   * Further metadata, such as a trace context. A call has the trace context and the caller of the
   * handler's request, whatever is set here.
   *
   * @defaultValue none
   */
  extras?: RequestExtras;
}

/**
 * Options of a request whose reply is not a stream: {@link ZeroMQClient.sendMessage}, and `call` of
 * {@link HandlerContext}.
 */
export interface ClientSendOptions extends SendOptions {
  /**
   * Called with each progress that the handler reports with `context.progress`, before the reply.
   * Routers of earlier releases do not pass progress on.
   *
   * @defaultValue none
   */
  onProgress?: (value: unknown) => void;
}
