/** The admin listener of a command. */
import type { Logger } from '../../core/logging/logging.ts';
import {
  type AdminListener,
  type AdminSource,
  openAdminListener,
  readToken,
} from '../../gateway/admin/index.ts';
import { explainBindErrors } from '../nodes/endpoints.ts';
import type { Resources } from '../nodes/serve.ts';
import { optional, type ValuesOf } from '../settings/settings.ts';
import { type Address, addressOrOff, file } from '../settings/value-types.ts';
import { ProcessView } from './process-view.ts';

/** Settings of commands that have an admin listener. */
export const ADMIN_SETTINGS = {
  admin: optional(addressOrOff, {
    description:
      'Address of the admin listener with dashboard, health and metrics (docs/observability/index.md), or off',
    group: 'Administration',
    defaultNote: 'off',
  }),
  adminTokenFile: optional(file, {
    description:
      'File with the token that the admin listener requires for everything except health and metrics',
    group: 'Administration',
    defaultNote: 'none; only this machine has access then',
  }),
};

type Values = ValuesOf<typeof ADMIN_SETTINGS>;

/**
 * Returns a view of the process if an admin listener or the export of metrics is configured. The view
 * counts from this call on.
 */
export function viewFor({ admin }: Values, resources: Resources): ProcessView | undefined {
  const isWanted = (admin !== undefined && admin !== false) || resources.telemetry !== undefined;
  if (!isWanted) return undefined;
  const view = new ProcessView();
  resources.add(() => view.close());
  resources.telemetry?.watchMetrics(() => view.metrics.read());
  return view;
}

/** Default address of the admin listener of `up`. */
export const DEFAULT_ADMIN_ADDRESS: Address = { host: '127.0.0.1', port: 9090 };

/**
 * Opens the admin listener, if one is configured, and registers it with `resources`. Open it first: it
 * then closes last and reports on the drain.
 *
 * @param defaultAddress default address, replaced by a free port of the same host if it is in use; without a
 * default, no listener is opened unless one is configured.
 * @returns the part of the ready line about the listener.
 */
export async function openAdmin(
  { admin, adminTokenFile }: Values,
  source: AdminSource,
  logger: Logger,
  resources: Resources,
  defaultAddress?: Address,
): Promise<string> {
  const address = admin ?? defaultAddress ?? false;
  if (address === false) return '';
  const token = adminTokenFile === undefined ? undefined : readToken(adminTokenFile);
  const open = ({ host, port }: Address): Promise<AdminListener> =>
    openAdminListener({ host, port, token, source, logger });
  const { listener, note } = await (admin === undefined
    ? openOrFallBack(address, open)
    : openConfigured(address, open));
  resources.add(() => listener.close());
  return `, admin ${listener.url}${note}`;
}

type Opening = Promise<{ readonly listener: AdminListener; readonly note: string }>;

async function openConfigured(address: Address, open: (address: Address) => Promise<AdminListener>): Opening {
  const listeners = [{ setting: 'admin', endpoint: `${address.host}:${address.port}` }];
  return { listener: await explainBindErrors(listeners, () => open(address)), note: '' };
}

async function openOrFallBack(address: Address, open: (address: Address) => Promise<AdminListener>): Opening {
  try {
    return { listener: await open(address), note: '' };
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } };
    if (cause?.code !== 'EADDRINUSE') throw error;
    return { listener: await open({ ...address, port: 0 }), note: ` (port ${address.port} is in use)` };
  }
}
