/**
 * admin: the admin listener, separate from the public one. Health, metrics, the log level and the
 * dashboard.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { AdminGuard } from './guard.ts';
import type { AdminSource } from './source.ts';

export {
  NO_STORE,
  type RequestRecord,
  type RequestsAnswer,
  type RequestsCommand,
  type RequestsStore,
  runRequestsCommand,
} from './requests.ts';
export type {
  ActionOutcome,
  AdminSource,
  DepartedWorker,
  RouterSnapshot,
  Snapshot,
  UnavailableRouter,
} from './source.ts';
export { readToken } from './token.ts';

/** Options of an admin listener. */
export interface AdminOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 picks a free one. */
  readonly port: number;
  /**
   * Token that callers must send, except for health and metrics. Without it, only loopback
   * listeners serve other paths.
   */
  readonly token?: string;
  readonly source: AdminSource;
  readonly logger: GatewayLogger;
}

/** An open admin listener. */
export interface AdminListener {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Opens an admin listener.
 *
 * @throws {ZeroMQConfigError} when it cannot bind the address; `cause.code` has the reason.
 */
export async function openAdminListener(options: AdminOptions): Promise<AdminListener> {
  const { host, port, token, source, logger } = options;
  // Only processes with an admin listener load Express.
  const { adminApp } = await import('./app.ts');
  const app = adminApp(source, new AdminGuard(host, token), logger);
  const server = createServer({ noDelay: true, requestTimeout: 10_000 }, app);
  await listen(server, host, port);
  const { address, port: bound, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  return { url, close: () => close(server) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new ZeroMQConfigError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

/** Closes the server and its connections. All other parts of the process have stopped before. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
