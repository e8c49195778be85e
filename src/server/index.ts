/** The server: the exports that the rest of the project may use. */
export type { ServerEndpoints } from '../runtime/server-endpoint.ts';
export { ZeroMQServer, type ZeroMQServerBaseOptions, type ZeroMQServerOptions } from './server.ts';
