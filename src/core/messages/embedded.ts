/**
 * A worker and a router in one thread, without a socket between them: the embedded mode. The same messages under the
 * same keys, by plain calls.
 */
import type { CancelReason } from './cancel-reason.ts';
import type { ReplyMessage, RequestMessage } from './message.ts';

/** A worker, as a router of its own thread sees it. */
export interface EmbeddedWorker {
  /** Its identity. */
  readonly id: string;
  /** Events it serves; undefined: every event that no worker ever announced. */
  readonly events: readonly string[] | undefined;
  /** Requests it takes at a time. */
  readonly concurrency: number;
  /** OpenAPI fragment of its contract, and the name under which it stands. */
  readonly contract: { readonly name: string; readonly fragment: unknown } | undefined;
  /** Takes a request. The reply goes back under `id` and `generation`, never before this returns. */
  localRequest(id: number, generation: number, message: RequestMessage): void;
  /** Nobody waits for the reply any more; it is given all the same. */
  localCancel(id: number, generation: number, why: CancelReason): void;
  /** The router is gone: nobody takes replies any more. */
  localClosed(): void;
  /** What stood in the way when it was refused may be gone: it may take its place now. */
  localRetry(): void;
}

/** A worker's place at a router. */
export interface EmbeddedSlot {
  reply(id: number, generation: number, reply: ReplyMessage): void;
  /** The worker gets nothing more; what it holds it will still answer. */
  leave(): void;
  /** The worker is gone, and what it holds will not be answered. */
  lost(): void;
}

/** A router that takes workers of its own thread. */
export interface EmbeddedRouter {
  /** Takes a worker in; a text says why it is refused. */
  register(worker: EmbeddedWorker): EmbeddedSlot | string;
  /** A worker that was refused does not want a place any longer. */
  withdraw(worker: EmbeddedWorker): void;
}
