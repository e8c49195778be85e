/** The client: the exports that the rest of the project may use. */
export type { SendOptions } from '../core/messages/send-options.ts';
export { type EventSender, readReply, type ZeroMQReply } from '../wire/incoming.ts';
export { ZeroMQClient } from './client.ts';
export type { ZeroMQClientOptions } from './client-options.ts';
export {
  type CallArguments,
  type CallSender,
  type CallsOf,
  type CallType,
  type CallTypes,
  createCaller,
  type EventCaller,
} from './event-caller.ts';
export type { BodyChunk, BodyPart, BodySource } from './streams/body-sender.ts';
export { ZeroMQStream } from './streams/client-stream.ts';
export type { StreamEvent } from './streams/item-decoders.ts';
export { openStream, type StreamSendOptions } from './streams/open-stream.ts';
