/**
 * client: sends requests to routers and servers, and returns their replies. These are the exports
 * that the rest of the project may use.
 */
export type { ClientSendOptions, SendOptions } from '../core/messages/send-options.ts';
export type { BodyChunk, BodyPart, BodySource } from '../streams/body-sender.ts';
export type { StreamEvent } from '../streams/item-decoders.ts';
export type { StreamSendOptions } from '../streams/receive-stream.ts';
export { ZeroMQStream } from '../streams/zeromq-stream.ts';
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
export { openStream } from './open-stream.ts';
