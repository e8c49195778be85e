/**
 * server: a worker to which clients connect directly, without a router. These are the exports that
 * the rest of the project may use.
 */
export type { ServerEndpoints } from '../runtime/server-endpoint.ts';
export { ZeroMQServer, type ZeroMQServerBaseOptions, type ZeroMQServerOptions } from './server.ts';
