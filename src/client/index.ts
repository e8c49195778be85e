/** The client: the exports that the rest of the project may use. */
export { ZeroMQClient } from './client.ts';
export type { SendOptions, ZeroMQClientOptions } from './client-options.ts';
export {
  type CallArguments,
  type CallSender,
  type CallsOf,
  type CallType,
  type CallTypes,
  createCaller,
  type EventCaller,
} from './event-caller.ts';
export { readReply, type ZeroMQReply } from './reply.ts';
