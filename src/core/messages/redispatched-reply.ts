/** Corrects the reply to a request that was dispatched more than once. */
import { failure, type ReplyMessage } from './message.ts';

/**
 * The reply for the caller. The outcome of the last attempt says nothing about earlier ones: a
 * request may have run at a lost worker even if the next worker reports that it did not run it.
 *
 * @param heldBefore whether a worker or router that held the request was lost.
 */
export function redispatchedReply(reply: ReplyMessage, heldBefore: boolean): ReplyMessage {
  if (reply.dispatched || !heldBefore) return reply;
  if (reply.code === 'EXPIRED')
    return failure('TIMEOUT', 'the deadline passed after a worker that held the request was lost');
  return failure(
    'WORKER_LOST',
    `a worker that held the request was lost, and the next one reported ${reply.code}`,
  );
}
