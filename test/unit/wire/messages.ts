/** Requests and replies for tests of the wire. */
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../../../src/core/messages/message.ts';

export function makeRequest(members: Partial<RequestMessage> = {}): RequestMessage {
  return {
    eventName: 'echo',
    body: Buffer.from('{"a":1}'),
    timeLeft: 5000,
    idempotent: false,
    requestId: '',
    extras: NO_BYTES,
    ...members,
  };
}

export function makeReply(members: Partial<ReplyMessage> = {}): ReplyMessage {
  return {
    status: 200,
    code: '',
    dispatched: true,
    more: false,
    contentType: '',
    extras: NO_BYTES,
    body: Buffer.from('{"b":2}'),
    ...members,
  };
}
