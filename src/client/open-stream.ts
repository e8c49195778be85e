/** Sends an event of a client whose reply is a stream. */
import type { Requester } from '../core/messages/message.ts';
import {
  receiveStream,
  type StreamDefaults,
  type StreamSendOptions,
  streamExtras,
} from '../streams/receive-stream.ts';
import type { ZeroMQStream } from '../streams/zeromq-stream.ts';
import { outgoing, type SendDefaults } from './send.ts';

/** Settings of the client that opens a stream. */
export interface OpenDefaults extends SendDefaults, StreamDefaults {
  readonly readJson?: SendDefaults['readJson'];
  /** Event data as JSON, instead of that of the call. */
  readonly json?: Buffer;
}

/**
 * Sends a request and resolves with its reply once the first chunk has arrived.
 *
 * @throws {ZeroMQConfigError} when an argument is invalid.
 */
export async function openStream<Item>(
  requester: Pick<Requester, 'request'>,
  eventName: string,
  eventData: unknown,
  options: StreamSendOptions,
  defaults: OpenDefaults,
): Promise<ZeroMQStream<Item>> {
  const extras = streamExtras(options);
  const request = outgoing(eventName, eventData, { ...options, extras }, defaults);
  const { json } = defaults;
  return receiveStream<Item>(
    requester,
    json === undefined ? request : { ...request, body: json },
    options,
    defaults,
  );
}
