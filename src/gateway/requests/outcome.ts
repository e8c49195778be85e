/** Decides how an asynchronous request ends, or whether it runs again. Pure functions. */
import type { ReplyMessage } from '../../core/messages/message.ts';
import { isOutcomeCode } from '../../core/messages/outcome.ts';

/** What follows from a reply or failure. */
export type Ending = 'succeeded' | 'failed' | 'unknown' | 'again';

/** Failures of requests that were not dispatched, and may be dispatched later. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'NO_ROUTER',
  'NO_WORKER',
  'QUEUE_FULL',
  'BUSY',
  'SHUTTING_DOWN',
]);

/** Failures after which a request may have run, or not. */
const AMBIGUOUS: ReadonlySet<string> = new Set(['TIMEOUT', 'WORKER_LOST', 'CANCELLED']);

/**
 * A handler that replied has run: its reply counts, also if it is an error. A request that may have
 * run runs again only if it is idempotent, and otherwise its outcome is unknown.
 */
export function endingOf({ code, dispatched, status }: ReplyMessage, idempotent: boolean): Ending {
  if (code === '') return status < 400 ? 'succeeded' : 'failed';
  if (!isOutcomeCode(code)) return 'failed';
  if (!dispatched) return TRANSIENT.has(code) ? 'again' : 'failed';
  if (!AMBIGUOUS.has(code)) return 'failed';
  if (!idempotent) return 'unknown';
  return code === 'WORKER_LOST' ? 'again' : 'failed';
}
