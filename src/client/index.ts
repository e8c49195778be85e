/** The client: the exports that the rest of the project may use. */
export { type SendOptions, ZeroMQClient, type ZeroMQClientOptions } from './client.ts';
export { readReply, type ZeroMQReply } from './reply.ts';
