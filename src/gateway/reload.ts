/** Settings of a gateway that change while it serves. */
import type { Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { HookLists } from './common/hooks.ts';
import type { GatewaySettings } from './common/settings.ts';
import type { GatewayContext } from './context/gateway-context.ts';
import type { Dispatcher } from './exchange/dispatcher.ts';
import type { Page } from './routing/page.ts';
import type { RouteContext } from './routing/route.ts';
import { RouteTable } from './routing/route-table.ts';
import { Cors } from './security/cors.ts';
import { SecurityPolicy } from './security/policy.ts';
import { RateLimits } from './security/rate-limit.ts';
import type { RedisConnection } from './security/redis.ts';
import { applyTimeouts } from './server/http-server.ts';
import type { Certificate } from './server/tls.ts';

/** Settings that are read for each request or route, or that the server can change. */
const CHANGEABLE: ReadonlySet<keyof GatewaySettings> = new Set([
  'accessLog',
  'allowShortDurations',
  'auth',
  'clientTimeouts',
  'compression',
  'cors',
  'keepAliveComment',
  'maxTimeout',
  'problemType',
  'rateLimits',
  'replies',
  'retryAfter',
  'serverTiming',
  'streamIdleTimeout',
  'streamTimeout',
  'timeout',
  'timeoutHeader',
  'tls',
] as const);

/** The parts of the state of a gateway that follow from changeable settings. */
type ChangedParts = Pick<GatewayContext, 'settings' | 'cors' | 'hooks' | 'rateLimits'>;

/**
 * The parts of a gateway with other settings.
 *
 * @throws {ZeroMQConfigError} when settings differ that cannot change; the message names them.
 */
function changedParts(
  context: GatewayContext,
  next: GatewaySettings,
  hooks: HookLists | undefined,
  redis: RedisConnection | undefined,
): ChangedParts {
  const { settings: before, logger } = context;
  const fixed = fixedSettings(before, next);
  if (fixed.length > 0) throw new ZeroMQConfigError(`a change of ${fixed.join(', ')} needs a restart`);
  const { cors, rateLimits, requestIdHeader } = next;
  const limits = rateLimits.length === 0 ? undefined : new RateLimits(rateLimits, redis, logger);
  return {
    settings: next,
    hooks,
    cors: cors === false ? undefined : new Cors(cors, requestIdHeader),
    // Limits that stay the same continue to count.
    rateLimits: isDeepStrictEqual(before.rateLimits, rateLimits) ? context.rateLimits : limits,
  };
}

/** Names of the settings that differ and cannot change. */
function fixedSettings(before: GatewaySettings, next: GatewaySettings): string[] {
  const names = Object.keys({ ...before, ...next }) as (keyof GatewaySettings)[];
  const fixed: string[] = names.filter(
    (name) => !CHANGEABLE.has(name) && !isDeepStrictEqual(before[name], next[name]),
  );
  // Documents and contracts were accepted for the schemes that are configured.
  if (!isDeepStrictEqual(schemesOf(before), schemesOf(next))) fixed.push('auth.schemes (names and types)');
  if ((before.tls === undefined) !== (next.tls === undefined)) fixed.push('tls (on or off)');
  return fixed;
}

function schemesOf({ auth }: GatewaySettings): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(auth.schemes).map(([name, { type }]) => [name, type]));
}

/**
 * What the routes of a document need of the gateway.
 * @param before the previous one, whose authentication stays if its settings are the same.
 * @throws {ZeroMQConfigError} when a file of the authentication is not valid.
 */
export function newRouteContext(
  { settings, logger, baseHeaders }: Pick<GatewayContext, 'settings' | 'logger' | 'baseHeaders'>,
  before?: RouteContext,
): RouteContext {
  if (before !== undefined && isDeepStrictEqual(before.settings.auth, settings.auth))
    return { ...before, settings };
  const policy = new SecurityPolicy(settings, logger);
  return { settings, logger, baseHeaders, guardFor: (...args) => policy.guardFor(...args) };
}

/** The parts of a gateway that a reload concerns. */
interface ReloadedGateway {
  readonly context: GatewayContext;
  readonly redis: RedisConnection | undefined;
  readonly server: Server;
  readonly certificate: Certificate | undefined;
  readonly pages: ReadonlyMap<string, Page>;
  readonly dispatcher: Dispatcher;
  readonly routes: { context: RouteContext };
}

/**
 * Checks other settings.
 *
 * @returns a function that applies them.
 * @throws {ZeroMQConfigError} when a file is not valid, or settings differ that cannot change.
 */
export function prepareReload(
  { context, redis, server, certificate, pages, dispatcher, routes }: ReloadedGateway,
  settings: GatewaySettings,
  hooks: HookLists | undefined,
): () => void {
  const parts = changedParts(context, settings, hooks, redis);
  const nextRoutes = newRouteContext({ ...context, ...parts }, routes.context);
  const useCertificate = certificate?.prepare(settings.tls);
  return () => {
    Object.assign(context, parts);
    applyTimeouts(server, context);
    useCertificate?.();
    routes.context = nextRoutes;
    // The document may have changed since the settings were checked.
    dispatcher.table = new RouteTable(dispatcher.table.snapshot, pages, nextRoutes, dispatcher.table);
  };
}
