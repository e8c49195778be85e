/** The admin listener: health, metrics and the level of the log, apart from the public listener. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { adminApp } from './app.ts';
import { AdminGuard } from './guard.ts';
import type { AdminSource } from './source.ts';

export type {
  ActionOutcome,
  AdminSource,
  DepartedWorker,
  RouterSnapshot,
  SilentRouter,
  Snapshot,
} from './source.ts';
export { readToken } from './token.ts';

/** Where an admin listener is, and who may use it. */
export interface AdminOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What callers must know for all but health and metrics. Default: nothing on loopback, elsewhere there is no way in. */
  readonly token?: string;
  readonly source: AdminSource;
  readonly logger: GatewayLogger;
}

/** An admin listener that listens. */
export interface AdminListener {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Opens an admin listener.
 *
 * @throws ZeroMQConfigError when the address cannot be had; `cause.code` says why.
 */
export async function openAdminListener(options: AdminOptions): Promise<AdminListener> {
  const { host, port, token, source, logger } = options;
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

/** Whoever still reads is cut off: all else has ended by now. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
