/** Queries to a router's built-in events, for the operator commands. */
import type { ZeroMQClient } from '../../client/index.ts';
import type { RouterReport, RouterTotals } from '../../core/observability/reports.ts';
import type { RequestReport } from '../../core/observability/request-stats.ts';
import { withClient } from '../nodes/connected-client.ts';
import { CURVE_CLIENT_SETTINGS } from '../nodes/curve.ts';
import { setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, connectEndpoint, timeoutMilliseconds } from '../settings/value-types.ts';

/** Settings of every command that queries a router. */
export const ADMIN_CLIENT_SETTINGS = {
  to: setting(connectEndpoint, { description: "Router's frontend", default: 'tcp://127.0.0.1:5555' }),
  timeout: setting(timeoutMilliseconds, {
    description: 'Timeout of each request to the router',
    default: 5000,
  }),
  json: setting(booleanFlag, { description: 'Print JSON, one line per reply', default: false }),
  ...CURVE_CLIENT_SETTINGS,
};

/** Reply to `$router.stats`. */
export interface RouterStatsReport extends RequestReport {
  readonly router: string;
  readonly age: number;
  readonly totals: RouterTotals;
}

/** A contract in the reply to `$router.contracts`. */
export interface ListedContract {
  readonly name: string;
  readonly fragment: unknown;
  /** Events of the workers; missing from routers of earlier versions. */
  readonly events?: readonly string[];
  readonly available: boolean;
}

/** Calls the built-in events of a router. */
export interface RouterAdminClient {
  info(): Promise<RouterReport>;
  stats(): Promise<RouterStatsReport>;
  contracts(): Promise<{ readonly contracts: readonly ListedContract[] }>;
  drain(worker: string, drain: boolean): Promise<void>;
  pause(event: string, pause: boolean): Promise<void>;
  weight(contract: string, version: string, weight: number | null): Promise<void>;
}

/**
 * Returns an admin client for the router to which `client` is connected.
 *
 * @param timeout timeout of each request, in milliseconds. Defaults to the timeout of `client`.
 */
export function routerAdminClient(
  client: Pick<ZeroMQClient, 'sendMessage'>,
  timeout?: number,
): RouterAdminClient {
  const options = timeout === undefined ? {} : { timeout };
  const query = async <Reply>(event: string, data?: object): Promise<Reply> =>
    (await client.sendMessage<Reply>(event, data, options)).eventData;
  return {
    info: () => query('$router.info'),
    stats: () => query('$router.stats'),
    // Without the revision that the caller knows, the router replies at once.
    contracts: () => query('$router.contracts', {}),
    drain: (worker, drain) => query('$router.drain', { worker, drain }),
    pause: (event, pause) => query('$router.pause', { event, pause }),
    weight: (contract, version, weight) => query('$router.weight', { contract, version, weight }),
  };
}

/**
 * Connects to a router, calls `use`, and closes the connection.
 *
 * @throws {CommandError} when a request fails; the message contains the error code and a remedy.
 */
export async function withRouterAdmin<T>(
  values: ValuesOf<typeof ADMIN_CLIENT_SETTINGS>,
  use: (admin: RouterAdminClient) => Promise<T>,
): Promise<T> {
  return withClient(values, {}, (client) => use(routerAdminClient(client)));
}
