/** Makes the server of a gateway listen. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewaySettings } from '../common/settings.ts';

/** The address that a gateway listens on. */
export interface GatewayAddress {
  /** The bound IP address. */
  readonly host: string;
  /** The bound port. */
  readonly port: number;
  /** Address and port as a URL: `http`, or `https` with TLS. */
  readonly url: string;
}

/**
 * Starts to listen.
 *
 * @param opened resolves when the gateway has tried to open its store: one that listens while the
 *   store is opening would not be ready.
 * @throws {ZeroMQConfigError} when the address cannot be bound.
 */
export async function listen(
  server: Server,
  { host, port, tls }: GatewaySettings,
  opened: Promise<void> | undefined,
): Promise<GatewayAddress> {
  await opened;
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(new ZeroMQConfigError(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
    };
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      const address = server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      const scheme = tls === undefined ? 'http' : 'https';
      resolve({ host: address.address, port: address.port, url: `${scheme}://${name}:${address.port}` });
    });
  });
}
