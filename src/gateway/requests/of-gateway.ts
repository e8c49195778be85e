/** The asynchronous requests of a gateway, from its settings. */
import type { GatewayContext } from '../context/gateway-context.ts';
import type { Route, RouteContext } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { AsynchronousRequests } from './asynchronous-requests.ts';
import { UndocumentedRequests } from './undocumented.ts';

/** The path of asynchronous requests; undefined without a store, or if the settings disable them. */
export function requestPath({ store, settings }: GatewayContext): string | undefined {
  const { requests } = settings.paths;
  return store === undefined || requests === false ? undefined : requests;
}

/**
 * Adds the asynchronous requests to a gateway with a store, unless the settings disable them.
 *
 * @param routed has the current routes.
 * @param routes has what new routes need.
 * @returns routes of requests for paths that the document does not have; undefined without a store.
 */
export function addRequests(
  gateway: GatewayContext,
  routed: { readonly table: RouteTable },
  routes: { readonly context: RouteContext },
): UndocumentedRequests | undefined {
  const { store, settings } = gateway;
  const path = requestPath(gateway);
  if (store === undefined || path === undefined) return undefined;
  const routeOf = (operation: string, event: string): Route | undefined => {
    const [method = '', template = ''] = operation.split(' ');
    const route = routed.table.routeOf(method, template);
    return route?.operation.eventName === event ? route : undefined;
  };
  gateway.requests = new AsynchronousRequests({ gateway, store, path, routeOf });
  return new UndocumentedRequests({
    settings,
    store,
    path,
    routes: () => routes.context,
    snapshot: () => routed.table.snapshot,
  });
}
