/** From a request that a requester is handed to the message that travels. */
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import { NO_BYTES, type OutgoingRequest, type RequestMessage } from '../core/messages/message.ts';
import { MAX_EVENT_NAME, MAX_METADATA } from './limits.ts';
import { isRequestId } from './metadata.ts';

/** Most bytes of UTF-8 for one UTF-16 unit. */
const WIDEST = 3;

/**
 * The message of a request. What would not fit the wire is refused here, where its caller hears of it: in a batch it
 * would harm the requests of others.
 *
 * @param maxBody largest event data, in bytes.
 * @throws ZeroMQConfigError naming what is not acceptable.
 */
export function toMessage(request: OutgoingRequest, maxBody: number): RequestMessage {
  const { eventName, body, requestId = '', extras: data } = request;
  if (eventName === '' || (eventName.length * WIDEST > MAX_EVENT_NAME && isTooLong(eventName))) {
    throw new ZeroMQConfigError(
      `eventName must be 1 to ${MAX_EVENT_NAME} bytes, got ${Buffer.byteLength(eventName)}`,
    );
  }
  if (requestId !== '' && !isRequestId(requestId)) {
    throw new ZeroMQConfigError('requestId must be at most 255 printable ASCII characters without spaces');
  }
  if (body.length > maxBody) {
    throw new ZeroMQConfigError(`eventData has ${body.length} bytes, more than maxMessageSize ${maxBody}`);
  }
  const extras = data === undefined ? NO_BYTES : Buffer.from(JSON.stringify(data));
  if (extras.length > MAX_METADATA) {
    throw new ZeroMQConfigError(`extras have ${extras.length} bytes, more than ${MAX_METADATA}`);
  }
  return { eventName, body, timeLeft: request.timeout, idempotent: request.idempotent, requestId, extras };
}

function isTooLong(eventName: string): boolean {
  return Buffer.byteLength(eventName) > MAX_EVENT_NAME;
}
