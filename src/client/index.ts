/** client: what the rest of the project may use of it. */
export { type SendOptions, ZeroMQClient, type ZeroMQClientOptions } from './client.ts';
export type { ZeroMQReply } from './reply.ts';
