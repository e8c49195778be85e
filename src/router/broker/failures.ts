/** Replies that the router gives itself. Those that come in floods are built once. */
import { failure, type ReplyMessage } from '../../core/messages/message.ts';
import type { OutcomeCode } from '../../core/messages/outcome.ts';

/** Why a request ends without a worker's reply. */
export type RouterFailure = Extract<
  OutcomeCode,
  'NO_WORKER' | 'QUEUE_FULL' | 'EXPIRED' | 'TIMEOUT' | 'WORKER_LOST' | 'SHUTTING_DOWN'
>;

const REPLIES: Readonly<Record<RouterFailure, ReplyMessage>> = {
  NO_WORKER: failure('NO_WORKER', 'no worker serves this event'),
  QUEUE_FULL: failure('QUEUE_FULL', 'all workers of this event are busy, and the queue is full'),
  EXPIRED: failure('EXPIRED', 'too little time was left before a worker was free'),
  TIMEOUT: failure('TIMEOUT', 'time ran out at the worker'),
  WORKER_LOST: failure('WORKER_LOST', 'the worker was lost while it held the request'),
  SHUTTING_DOWN: failure('SHUTTING_DOWN', 'the router is shutting down'),
};

/** What becomes of a failure of a request that some worker held before: it may have been run. */
const ONCE_DISPATCHED: Readonly<Record<RouterFailure, RouterFailure>> = {
  NO_WORKER: 'WORKER_LOST',
  QUEUE_FULL: 'WORKER_LOST',
  EXPIRED: 'TIMEOUT',
  TIMEOUT: 'TIMEOUT',
  WORKER_LOST: 'WORKER_LOST',
  SHUTTING_DOWN: 'WORKER_LOST',
};

/** The reply for a failure, honest about whether a worker had the request. */
export function routerFailure(code: RouterFailure, dispatched: boolean): ReplyMessage {
  return REPLIES[dispatched ? ONCE_DISPATCHED[code] : code];
}

/** NO_WORKER that names the event. @param past a worker announced it before. */
export function noWorker(eventName: string, past: boolean): ReplyMessage {
  const why = past ? ': its workers are away, and workers that list no events are not given it' : '';
  return failure('NO_WORKER', `no worker serves the event ${JSON.stringify(eventName)}${why}`);
}

/** Whether a worker says that it did not run the request, because it is full or leaves. */
export function isRefusal(reply: ReplyMessage): boolean {
  return !reply.dispatched && (reply.code === 'BUSY' || reply.code === 'SHUTTING_DOWN');
}

/** Codes that say that the worker is at fault; TIMEOUT comes from one that noticed the deadline before the router. */
const FAULTS: ReadonlySet<string> = new Set<OutcomeCode>([
  'HANDLER_ERROR',
  'BAD_REPLY',
  'NO_HANDLER',
  'TIMEOUT',
]);

/** Whether a reply says that the worker is at fault. A reply error is the handler's considered answer. */
export function isFault(reply: ReplyMessage): boolean {
  return reply.code !== '' && FAULTS.has(reply.code);
}
