/** server: what the rest of the project may use of it. */
export type { ServerEndpoints } from '../service/server-link.ts';
export { ZeroMQServer, type ZeroMQServerOptions } from './server.ts';
