/**
 * Outcomes that report a lost connection. They have codes of the catalogue, as every outcome has,
 * but `sendMessage` rejects with `ZeroMQSocketDisconnected`: the retry loops of the original catch
 * that class.
 */
import { failure, type ReplyMessage } from './message.ts';

const reported = new WeakSet<ReplyMessage>();

/**
 * Creates the failure of a request whose connection was lost. `dispatched`: the request may have
 * run.
 */
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
