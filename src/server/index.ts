/** server: what the rest of the project may use of it. */
export type { ServerEndpoints } from '../runtime/server-endpoint.ts';
export { ZeroMQServer, type ZeroMQServerOptions } from './server.ts';
