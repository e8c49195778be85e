/** Nodes with CURVE keys for tests. */
import { AllowList, type AllowListEntry, curveKeyPair, type ZeroMQRouterOptions } from '../../src/index.ts';
import type { Transport } from '../helpers/endpoints.ts';
import type { Scope } from '../helpers/scope.ts';
import { type StartedRouter, startRouter } from './framework.ts';

export const SERVER = curveKeyPair();
export const CLIENT = curveKeyPair();
export const WORKER = curveKeyPair();
export const ADMIN = curveKeyPair();
export const STRANGER = curveKeyPair();

/** Returns the options with which a node with these keys connects. */
export function keysOf({ secretKey }: { secretKey: string }): { serverKey: string; secretKey: string } {
  return { serverKey: SERVER.publicKey, secretKey };
}

export const PEERS: readonly AllowListEntry[] = [
  { name: 'gateway', publicKey: CLIENT.publicKey, role: 'client', calls: ['echo.*', 'slow'] },
  {
    name: 'echo',
    publicKey: WORKER.publicKey,
    role: 'worker',
    serves: ['echo.*', 'slow', 'private'],
    paths: ['/echo'],
  },
  { name: 'operator', publicKey: ADMIN.publicKey, role: 'admin' },
];

/** Starts a router with an allow list. */
export async function startGuarded(
  scope: Scope,
  peers: readonly AllowListEntry[] = PEERS,
  options: Partial<ZeroMQRouterOptions> = {},
  transport: Transport = 'tcp',
): Promise<StartedRouter & { list: AllowList }> {
  const list = new AllowList({ peers });
  const curve = { secretKey: SERVER.secretKey, authenticator: list, ...options.curve };
  return { ...(await startRouter(scope, transport, { ...options, curve })), list };
}
