/**
 * Endpoints for tests. Bind to `anyEndpoint` and read the bound address. Use `freeEndpoint` only if
 * a peer must know the address before it is bound.
 */
import { freePort } from '../../scripts/lib/ports.ts';
import type { Cleanup } from './scope.ts';
import { ipcPath } from './temp.ts';

export const TRANSPORTS = ['tcp', 'ipc'] as const;
export type Transport = (typeof TRANSPORTS)[number] | 'inproc';

let names = 0;

/**
 * Returns an unused endpoint to bind: a TCP port chosen by the system, a new path or a new name.
 */
export function anyEndpoint(cleanup: Cleanup, transport: Transport): string {
  return transport === 'tcp' ? 'tcp://127.0.0.1:0' : named(cleanup, transport);
}

/** Returns an endpoint that is known in advance. Its TCP port was free a moment ago. */
export async function freeEndpoint(cleanup: Cleanup, transport: Transport): Promise<string> {
  return transport === 'tcp' ? `tcp://127.0.0.1:${await freePort()}` : named(cleanup, transport);
}

function named(cleanup: Cleanup, transport: 'ipc' | 'inproc'): string {
  names += 1;
  return transport === 'ipc' ? `ipc://${ipcPath(cleanup)}` : `inproc://test-${process.pid}-${names}`;
}
