/** Failure replies created by the router. Frequent ones are built once. */
import { failure, type ReplyMessage } from '../../core/messages/message.ts';
import type { OutcomeCode } from '../../core/messages/outcome.ts';

/** Outcome codes that the router assigns itself. */
export type RouterFailure = Extract<
  OutcomeCode,
  'NO_WORKER' | 'QUEUE_FULL' | 'EXPIRED' | 'TIMEOUT' | 'WORKER_LOST' | 'SHUTTING_DOWN'
>;

const REPLIES: Readonly<Record<RouterFailure, ReplyMessage>> = {
  NO_WORKER: failure('NO_WORKER', 'no worker serves this event'),
  QUEUE_FULL: failure('QUEUE_FULL', 'all workers of this event are busy and the queue is full'),
  EXPIRED: failure('EXPIRED', 'no worker became free before the request expired'),
  TIMEOUT: failure('TIMEOUT', 'the worker did not reply before the deadline'),
  WORKER_LOST: failure('WORKER_LOST', 'the worker was lost while it held the request'),
  SHUTTING_DOWN: failure('SHUTTING_DOWN', 'the router is shutting down'),
};

/** The code to use for a request that was dispatched before: it may have run. */
const ONCE_DISPATCHED: Readonly<Record<RouterFailure, RouterFailure>> = {
  NO_WORKER: 'WORKER_LOST',
  QUEUE_FULL: 'WORKER_LOST',
  EXPIRED: 'TIMEOUT',
  TIMEOUT: 'TIMEOUT',
  WORKER_LOST: 'WORKER_LOST',
  SHUTTING_DOWN: 'WORKER_LOST',
};

/** The reply for a failure. @param dispatched whether a worker may have run the request. */
export function routerFailure(code: RouterFailure, dispatched: boolean): ReplyMessage {
  return REPLIES[dispatched ? ONCE_DISPATCHED[code] : code];
}

/**
 * A NO_WORKER reply that names the event. @param past whether a worker announced the event before.
 */
export function noWorker(eventName: string, past: boolean): ReplyMessage {
  const why = past ? ': its workers have left, and workers that announce no events do not receive it' : '';
  return failure('NO_WORKER', `no worker serves the event ${JSON.stringify(eventName)}${why}`);
}

/** The reply to a request for a version that no worker serves. @param served the versions that are. */
export function noVersion(eventName: string, version: string, served: readonly string[]): ReplyMessage {
  const others = served.length === 0 ? '' : `; workers serve ${served.join(', ')}`;
  const event = JSON.stringify(eventName);
  return failure('NO_WORKER', `no worker serves the event ${event} in version ${version}${others}`);
}

/** The reply to a request for a version whose workers are busy. */
export function versionBusy(version: string): ReplyMessage {
  return failure('BUSY', `all workers of version ${version} are busy; requests for a version are not queued`);
}

/** Whether a worker rejected the request without running it because it is busy or stopping. */
export function isRefusal(reply: ReplyMessage): boolean {
  return !reply.dispatched && (reply.code === 'BUSY' || reply.code === 'SHUTTING_DOWN');
}

/**
 * Codes that count as failures of the worker. TIMEOUT comes from a worker that noticed the deadline
 * before the router did.
 */
const FAULTS: ReadonlySet<string> = new Set<OutcomeCode>([
  'HANDLER_ERROR',
  'BAD_REPLY',
  'NO_HANDLER',
  'TIMEOUT',
]);

/**
 * Whether a reply counts as a failure of the worker. A reply error is a deliberate answer of the
 * handler and does not.
 */
export function isFault(reply: ReplyMessage): boolean {
  return reply.code !== '' && FAULTS.has(reply.code);
}
