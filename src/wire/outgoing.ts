/** Converts a request of a requester to a message. */
import { jsonText } from '../core/json/json-value.ts';
import { checkCount } from '../core/messages/checks.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';
import {
  NO_BYTES,
  type OutgoingRequest,
  type RequestMessage,
  type StreamPort,
} from '../core/messages/message.ts';
import { MAX_WINDOW } from '../core/messages/stream.ts';
import { MAX_EVENT_NAME, MAX_METADATA } from './limits.ts';
import { isRequestId } from './metadata.ts';

/** Maximum bytes of UTF-8 per UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * Creates the message of a request. It validates the limits of the wire, so that the caller gets
 * the error; in a batch, an invalid record would break the requests of others.
 *
 * @param maxBody maximum size of the event data in bytes.
 * @throws {ZeroMQConfigError} for an invalid value; the message has its name and limit.
 */
export function toMessage(request: OutgoingRequest, maxBody: number): RequestMessage {
  const { eventName, body, requestId = '', extras: data } = request;
  if (eventName === '' || (eventName.length * MAX_BYTES_PER_UNIT > MAX_EVENT_NAME && isTooLong(eventName))) {
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
  const { timeout: timeLeft, idempotent, stream, onProgress } = request;
  let message: RequestMessage = { eventName, body, timeLeft, idempotent, requestId, extras };
  if (onProgress !== undefined) message = { ...message, progress: true };
  return stream === undefined ? message : withStream(message, stream);
}

/** @throws {ZeroMQConfigError} when the window is not a number that the wire carries. */
function withStream(message: RequestMessage, { window, upload }: StreamPort): RequestMessage {
  checkCount('window', window, 0, MAX_WINDOW);
  return upload ? { ...message, window, upload } : { ...message, window };
}

function isTooLong(eventName: string): boolean {
  return Buffer.byteLength(eventName) > MAX_EVENT_NAME;
}

/**
 * Encodes event data as JSON.
 *
 * @throws {ZeroMQConfigError} when the event data cannot be represented as JSON
 */
export function encodeData(eventData: unknown): Buffer {
  try {
    return Buffer.from(jsonText(eventData));
  } catch (cause) {
    throw new ZeroMQConfigError(`eventData: ${toError(cause).message}`, { cause });
  }
}
