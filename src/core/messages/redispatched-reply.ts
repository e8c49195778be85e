/** The truth about a request that was given to more than one worker. */
import { failure, type ReplyMessage } from './message.ts';

/**
 * The reply for a caller. What comes of the last attempt says nothing of those before: a request that a lost worker
 * held may have run, even if the next one says that it did not run it.
 *
 * @param heldBefore a worker or router was lost that held the request.
 */
export function redispatchedReply(reply: ReplyMessage, heldBefore: boolean): ReplyMessage {
  if (reply.dispatched || !heldBefore) return reply;
  if (reply.code === 'EXPIRED')
    return failure('TIMEOUT', 'time ran out after a worker was lost that held the request');
  return failure(
    'WORKER_LOST',
    `a worker was lost that held the request, and the next one said ${reply.code}`,
  );
}
