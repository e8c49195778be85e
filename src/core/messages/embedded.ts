/**
 * Interfaces of the embedded mode: a worker and a router in one thread exchange the usual messages,
 * under the usual keys, by plain calls instead of sockets.
 */
import type { CallParent } from './calls.ts';
import type { CancelReason } from './cancel-reason.ts';
import type { InFlight, ReplyMessage, RequestMessage, Settle, StreamPort } from './message.ts';

/** A worker, as seen by a router in the same thread. */
export interface EmbeddedWorker {
  /** Its identity. */
  readonly id: string;
  /** Events it serves; undefined if it serves all unannounced events. */
  readonly events: readonly string[] | undefined;
  /** Requests it runs at a time. */
  readonly concurrency: number;
  /** Maximum number of streams that use none of its concurrency. Absent: 1,000. */
  readonly maxStreams?: number | undefined;
  /** Its contract: name, OpenAPI fragment, and its version with the share of the requests in percent. */
  readonly contract:
    | {
        readonly name: string;
        readonly fragment: unknown;
        readonly version?: string;
        readonly weight?: number;
      }
    | undefined;
  /** Base name of the file that defines it. */
  readonly file?: string | undefined;
  /** Name of its host. */
  readonly host?: string | undefined;
  /** Receives a request. It replies under `id` and `generation`, never before this call returns. */
  onRequest(id: number, generation: number, message: RequestMessage): void;
  /** The caller no longer needs the reply. The worker replies nevertheless. */
  onCancel(id: number, generation: number, why: CancelReason): void;
  /** A chunk of the body of a request arrived. `end`: it is the last one. */
  onChunk?(id: number, generation: number, body: Buffer, end: boolean): void;
  /** The caller takes `bytes` more of the reply. */
  onWindow?(id: number, generation: number, bytes: number): void;
  /** The router has closed and accepts no more replies. */
  onClosed(): void;
  /** A refused registration may succeed now; the worker may try again. */
  onRetry(): void;
}

/** A worker's registration with a router. */
export interface EmbeddedSlot {
  /** Sends a reply, or a chunk of it if its `more` is true. */
  reply(id: number, generation: number, reply: ReplyMessage): void;
  /** The worker takes `bytes` more of the body of a request. */
  window(id: number, generation: number, bytes: number): void;
  /**
   * Sends a call of a handler. Not to be called from within `onRequest` or `onCancel`.
   *
   * @param settle called once with the outcome, possibly before this returns, unless the call is
   *   cancelled.
   * @param stream receives the reply as a stream, for a call with a window or an upload.
   */
  call(message: RequestMessage, parent: CallParent, settle: Settle, stream?: StreamPort): InFlight;
  /** The worker accepts no more requests, and still answers those in flight. */
  leave(): void;
  /** The worker is lost; its requests in flight will not be answered. */
  lost(): void;
}

/** A router that accepts workers in its own thread. */
export interface EmbeddedRouter {
  /** Registers a worker. Returns the reason as text if the router refuses it. */
  register(worker: EmbeddedWorker): EmbeddedSlot | string;
  /** Withdraws a worker whose registration was refused; the router no longer calls `onRetry`. */
  withdraw(worker: EmbeddedWorker): void;
}
