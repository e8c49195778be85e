/** Sends event data through a requester, and waits for the reply. */
import type { ReadJson } from '../core/json/large-integers.ts';
import { errorOfOutcome, ZeroMQConfigError, type ZeroMQError } from '../core/messages/errors.ts';
import type { OutgoingRequest, ReplyMessage, Requester } from '../core/messages/message.ts';
import type { ClientSendOptions, SendOptions } from '../core/messages/send-options.ts';
import { readReply, type ZeroMQReply } from '../wire/incoming.ts';
import { encodeData } from '../wire/outgoing.ts';
import { checkTimeout } from './arguments.ts';

/** Request timeout in milliseconds, unless a client or request sets another one. */
export const DEFAULT_TIMEOUT = 5000;

/** Settings of the client that sends a request. */
export interface SendDefaults {
  /** Request timeout in milliseconds. */
  readonly timeout: number;
  /** Whether durations below 50 ms are accepted. */
  readonly allowShortDurations?: boolean | undefined;
  /** Parses the event data of the reply. */
  readonly readJson?: ReadJson;
}

/**
 * Sends an event and resolves with the reply.
 *
 * @throws {ZeroMQConfigError} when an argument is invalid
 * @throws {ZeroMQError} of the class that the code of a failure maps to
 */
export async function send<Data>(
  requester: Pick<Requester, 'request'>,
  eventName: string,
  eventData: unknown,
  options: ClientSendOptions,
  defaults: SendDefaults,
): Promise<ZeroMQReply<Data>> {
  const { signal, onProgress } = options;
  const { readJson = JSON.parse } = defaults;
  let request = outgoing(eventName, eventData, options, defaults);
  if (onProgress !== undefined) {
    request = { ...request, onProgress: (json) => onProgress(readJson(String(json))) };
  }
  return readReply<Data>(eventName, await replyTo(requester, request, signal), readJson);
}

/**
 * Creates the request for an event.
 *
 * @throws {ZeroMQConfigError} when an argument is invalid
 */
export function outgoing(
  eventName: string,
  eventData: unknown,
  options: SendOptions,
  defaults: SendDefaults,
): OutgoingRequest {
  const { timeout = defaults.timeout, idempotent = false, requestId, extras } = options;
  if (typeof eventName !== 'string') {
    throw new ZeroMQConfigError(`eventName must be a string, got ${JSON.stringify(eventName)}`);
  }
  const body = encodeData(eventData);
  return {
    eventName,
    body,
    timeout: checkTimeout(timeout, defaults.allowShortDurations),
    idempotent,
    requestId,
    extras,
  };
}

function replyTo(
  requester: Pick<Requester, 'request'>,
  request: OutgoingRequest,
  signal: AbortSignal | undefined,
): Promise<ReplyMessage> {
  return new Promise((resolve, reject) => {
    const cancelled = (cause: unknown): ZeroMQError =>
      errorOfOutcome('CANCELLED', 'the request was aborted', { cause });
    if (signal?.aborted === true) {
      reject(cancelled(signal.reason));
      return;
    }
    const onAbort = (): void => {
      inFlight.cancel();
      reject(cancelled(signal?.reason));
    };
    const inFlight = requester.request(request, (reply) => {
      signal?.removeEventListener('abort', onAbort);
      resolve(reply);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
