/**
 * Progress of handlers. It travels as a reply with `more` and a code of its own, to callers that ask
 * for it in their request, and neither begins nor ends the reply.
 */
import { NO_BYTES, type ReplyMessage, type Settle } from './message.ts';

/** Code of a reply that is a progress. Outcome codes and codes of workers never start with `$`. */
const PROGRESS = '$progress';

/** Maximum size of the JSON of a progress in bytes. */
export const MAX_PROGRESS: number = 16 * 1024;

/** Creates the message of a progress. */
export function progressMessage(json: Buffer): ReplyMessage {
  return {
    status: 200,
    code: PROGRESS,
    dispatched: true,
    more: true,
    contentType: '',
    extras: NO_BYTES,
    body: json,
  };
}

/** Whether a reply whose `more` is true is a progress, and not a chunk. */
export function isProgress({ code }: ReplyMessage): boolean {
  return code === PROGRESS;
}

/** Separates progress from the reply, for a caller that asks for both. */
export function withProgress(
  settle: Settle,
  onProgress: ((json: Buffer) => void) | undefined,
): (reply: ReplyMessage) => void {
  if (onProgress === undefined) return settle;
  return (reply) => {
    if (!reply.more) settle(reply);
    else if (reply.body.length <= MAX_PROGRESS) onProgress(reply.body);
  };
}
