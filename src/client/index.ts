/** client: what the rest of the project may use of it. */
export { type SendOptions, ZeroMQClient, type ZeroMQClientOptions } from './client.ts';
export { readReply, type ZeroMQReply } from './reply.ts';
