/**
 * Outcomes that report a lost connection. They have the codes of the catalogue, as every outcome has, but `sendMessage`
 * rejects with `ZeroMQSocketDisconnected`, which is the class that the original's retry loops catch.
 */
import { failure, type ReplyMessage } from '../core/messages/message.ts';

const reported = new WeakSet<ReplyMessage>();

/** A failure because the connection was lost. `dispatched`: the request may have run. */
export function connectionLoss(
  code: 'WORKER_LOST' | 'NO_ROUTER',
  message: string,
  dispatched: boolean,
): ReplyMessage {
  const reply = failure(code, message, { dispatched });
  reported.add(reply);
  return reply;
}

export function isConnectionLoss(reply: ReplyMessage): boolean {
  return reported.has(reply);
}
