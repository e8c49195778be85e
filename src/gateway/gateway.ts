/** Creates a gateway from its parts. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Express } from 'express';
import type { OpenAPIV3_1 } from 'openapi-types';
import { LinkedList } from '../core/collections/linked-list.ts';
import { toError } from '../core/messages/errors.ts';
import type { Requester } from '../core/messages/message.ts';
import type { Health } from '../core/observability/health.ts';
import { activeTracing } from '../core/observability/tracing.ts';
import type { ApiSnapshot } from '../openapi/model/operation.ts';
import { BodyReader } from './binding/reader.ts';
import {
  type ApiSource,
  contained,
  type GatewayLogger,
  type PendingContracts,
  SILENT,
} from './common/api-source.ts';
import type { GatewayHooks } from './common/hook-types.ts';
import { hookLists } from './common/hooks.ts';
import { Pipelines } from './common/pipeline.ts';
import { RequestIds } from './common/request-id.ts';
import type { GatewaySettingsInput } from './common/settings-input.ts';
import { readSettings } from './common/settings-schema.ts';
import type { GatewayContext } from './context/gateway-context.ts';
import { type GatewayStreams, OpenStreams } from './context/open-streams.ts';
import { type GatewayStore, gatewayStore } from './durable/gateway-store.ts';
import { needStore, storeOf } from './durable/need-store.ts';
import { Dispatcher, type Next } from './exchange/dispatcher.ts';
import { gatewayHealth } from './pages/health.ts';
import { DocumentRenderer } from './pages/openapi-document.ts';
import { newPages } from './pages/pages.ts';
import { newRouteContext, prepareReload } from './reload.ts';
import { addRequests, requestPath } from './requests/of-gateway.ts';
import { withRequestOperations } from './requests/operations.ts';
import type { RouteContext } from './routing/route.ts';
import { RouteTable } from './routing/route-table.ts';
import { accept } from './routing/snapshot-filter.ts';
import { Cors } from './security/cors.ts';
import { apiHeaders } from './security/headers.ts';
import { RateLimits } from './security/rate-limit.ts';
import { redisConnection } from './security/redis.ts';
import { newExpressApp } from './server/express-app.ts';
import { newServer } from './server/http-server.ts';
import { type GatewayAddress, listen } from './server/listen.ts';
import { closeGateway } from './server/shutdown.ts';
import { Certificate } from './server/tls.ts';

/** Options of {@link createGateway}: the settings of a gateway, and the parts that it connects. */
export interface GatewayOptions extends GatewaySettingsInput {
  /**
   * Sends events and returns their replies: a started `ZeroMQClient`, or a `ZeroMQRouter` in the
   * same process.
   */
  readonly requester: Requester;
  /** The source of the document, such as an {@link ApiRegistry}. */
  readonly api: ApiSource;
  /**
   * Contracts that reach `api` after startup, such as {@link LiveContracts}. Until they are
   * complete, `/readyz` responds with 503, and unknown paths and methods with 503 `STARTING`.
   *
   * @defaultValue undefined: the gateway does not wait for contracts.
   */
  readonly contracts?: PendingContracts;
  /**
   * Functions that see and change requests, events, replies and problems. In a list, the first
   * object is the outermost: its `onRequest` and `onEvent` run first, its `onReply` and `onProblem`
   * last.
   *
   * @defaultValue none
   */
  readonly hooks?: GatewayHooks | readonly GatewayHooks[];
  /**
   * Receives the log of the gateway. A pino logger can be used.
   *
   * @defaultValue a logger that discards all messages.
   */
  readonly logger?: GatewayLogger;
  /**
   * Name of the gateway in diagnostics.
   *
   * @defaultValue `'gateway'`
   */
  readonly name?: string;
}

/**
 * An HTTP gateway, created by {@link createGateway}. It serves through {@link Gateway.middleware}
 * at once, and on its own port after {@link Gateway.listen}.
 *
 * @example
 * ```ts
 * const app = express();
 * app.use('/api', gateway.middleware);
 * ```
 */
export interface Gateway {
  /** Handles requests in another Express app, with or without a mount path. */
  readonly middleware: (req: IncomingMessage, res: ServerResponse, next: Next) => void;
  /**
   * The Express app of {@link Gateway.listen}. Handlers added to it receive requests for unknown
   * paths.
   */
  readonly app: Express;
  /** The HTTP server of {@link Gateway.listen}; with TLS it is an HTTPS server. */
  readonly server: Server;
  /** Number of operation requests in flight. */
  readonly inFlight: number;
  /** The streams of the gateway, for metrics. */
  readonly streams: GatewayStreams;
  /**
   * The store of asynchronous requests and of requests with an idempotency key; undefined without
   * the setting `store`.
   */
  readonly store: GatewayStore | undefined;
  /**
   * Returns whether the gateway can serve, as `/readyz` reports it.
   *
   * @returns the status, with the reasons if the gateway cannot serve.
   */
  health(): Health;
  /**
   * Returns the document as `/openapi.json` serves it.
   *
   * @returns the current document.
   */
  openapi(): OpenAPIV3_1.Document;
  /**
   * Starts to listen on the host and port of the settings.
   *
   * @returns the bound address.
   * @throws {ZeroMQConfigError} when it cannot bind the address.
   */
  listen(): Promise<GatewayAddress>;
  /**
   * Checks other settings and hooks, and returns a function that applies them while the gateway
   * serves. Requests in flight may end with either. These settings can change: `accessLog`,
   * `allowShortDurations`, `auth` (with the same names and types of schemes), `clientTimeouts`,
   * `compression`, `cors`, `keepAliveComment`, `maxTimeout`, `problemType`, `rateLimits`, `replies`,
   * `retryAfter`, `serverTiming`, `streamIdleTimeout`, `streamTimeout`, `timeout`, `timeoutHeader`
   * and `tls` (other files). If `rateLimits` differs, all limits in memory count from 0 again.
   *
   * @param settings all settings, as for {@link createGateway}.
   * @param hooks all hooks, as for {@link createGateway}.
   * @returns a function that applies them; it does not throw.
   * @throws {ZeroMQConfigError} when a setting is not valid, or one that needs a restart differs; the
   *   message names it.
   */
  prepareReload(settings: GatewaySettingsInput, hooks?: GatewayOptions['hooks']): () => void;
  /**
   * Drains and closes the gateway: accepts no new connections, settles the requests in flight, and
   * frees all resources. The requester stays open. Further calls return the same promise.
   *
   * @param options `deadline`: time in milliseconds after which requests in flight are aborted with
   *   `SHUTTING_DOWN`. Default: 10,000.
   * @returns a promise that resolves when the gateway is closed.
   */
  close(options?: { deadline?: number }): Promise<void>;
  /** Closes the gateway with the default deadline. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates an HTTP gateway: it serves the operations of an OpenAPI document and sends each request
 * as an event to a requester.
 *
 * @param options settings, requester and document. {@link GatewaySettings} has the defaults.
 * @returns the gateway.
 * @throws {ZeroMQConfigError} when a setting is not valid, or the document requires a security
 *   scheme that is not configured.
 *
 * @example
 * ```ts
 * const registry = new ApiRegistry();
 * putDocument(registry, 'openapi/tasks.yaml');
 * const client = new ZeroMQClient({ connection: 'tcp://127.0.0.1:5555' });
 * await client.start();
 * const gateway = createGateway({ requester: client, api: registry, port: 8080 });
 * const { url } = await gateway.listen();
 * ```
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { requester, api, contracts, hooks, logger: log, name = 'gateway', ...input } = options;
  const logger = log === undefined ? SILENT : contained(log);
  const settings = readSettings(input);
  const redis = settings.redis === undefined ? undefined : redisConnection(settings.redis, logger);
  const store = storeOf(settings, logger);
  const given = { name, settings, requester, logger, contracts, hooks: hookLists(hooks), store };
  const context = newContext(given, redis);
  const routes = { context: newRouteContext(context) };
  const path = requestPath(context);
  const first = withRequestOperations(api.snapshot(), path);
  let renderer = new DocumentRenderer(first, settings.publicUrl);
  const pages = newPages(context, () => renderer);
  const dispatcher = new Dispatcher(context, new RouteTable(first, pages, routes.context));
  dispatcher.undocumented = addRequests(context, dispatcher, routes);
  const expressApp = newExpressApp(dispatcher, settings.trustProxy);
  const certificate = settings.tls && new Certificate(settings.tls, logger);
  const server = newServer(context, expressApp, dispatcher, certificate);
  const reloaded = { context, redis, server, certificate, pages, dispatcher, routes };

  /** Replaces document and routes together, or neither of them. */
  const swap = (accepted: ApiSnapshot): void => {
    const snapshot = withRequestOperations(accepted, path);
    dispatcher.table = new RouteTable(snapshot, pages, routes.context, dispatcher.table);
    renderer = new DocumentRenderer(snapshot, settings.publicUrl);
    needStore(snapshot, context);
  };
  needStore(first, context);
  const onChange = (): void => follow(api, routes.context, swap);
  api.on('change', onChange);
  connect(redis, logger);

  let closing: Promise<void> | undefined;
  const close = (deadline: number): Promise<void> => {
    api.off('change', onChange);
    return closeGateway(context, server, deadline).finally(() => {
      redis?.close();
      return store?.close();
    });
  };
  return {
    middleware: (req, res, next) => dispatcher.handle(req, res, settings.fallthrough ? next : undefined),
    app: expressApp.app,
    server,
    get inFlight() {
      return context.exchanges.length;
    },
    get streams() {
      return { ...context.streams.totals, inFlight: context.streams.length };
    },
    store: store && gatewayStore(store),
    health: () => gatewayHealth(context),
    openapi: () => renderer.document(''),
    listen: () => listen(server, settings, store?.attempted()),
    prepareReload: (changed, list) => prepareReload(reloaded, readSettings(changed), hookLists(list)),
    close: ({ deadline = 10_000 } = {}) => (closing ??= close(deadline)),
    [Symbol.asyncDispose]: () => (closing ??= close(10_000)),
  };
}

function connect(redis: ReturnType<typeof redisConnection> | undefined, logger: GatewayLogger): void {
  redis
    ?.connect()
    .catch((error: unknown) => logger.error({ err: toError(error) }, 'cannot connect to Redis'));
}

/** Serves a changed document. Contracts that the gateway cannot serve are left out. */
function follow(
  api: ApiSource,
  { guardFor, logger }: RouteContext,
  swap: (snapshot: ApiSnapshot) => void,
): void {
  try {
    const { snapshot, rejected } = accept(api.snapshot(), guardFor);
    swap(snapshot);
    for (const [source, err] of rejected)
      logger.error({ err, source }, 'rejected a contract; its operations are not served');
    const { revision, operations } = snapshot;
    logger.info({ revision, operations: operations.length }, 'the document has changed');
  } catch (error) {
    logger.error({ err: toError(error) }, 'rejected a changed document; the previous one stays');
  }
}

/** The state that the parts of a gateway share. */
function newContext(
  parts: Pick<GatewayContext, 'name' | 'settings' | 'requester' | 'logger' | 'contracts' | 'hooks' | 'store'>,
  redis: ReturnType<typeof redisConnection> | undefined,
): GatewayContext {
  const { settings, logger } = parts;
  const { cors, limits, clientTimeouts, rateLimits, keepAliveComment, streamIdleTimeout } = settings;
  const shortest = Math.min(keepAliveComment, streamIdleTimeout, settings.timeout, clientTimeouts.body);
  return {
    ...parts,
    tracing: activeTracing(),
    ids: new RequestIds(),
    bodies: new BodyReader({ ...limits, timeout: clientTimeouts.body }),
    // One connection must never use up the limit of all requests.
    pipelines: new Pipelines(Math.max(1, Math.min(limits.pipelined, Math.floor(limits.inFlight / 2)))),
    cors: cors === false ? undefined : new Cors(cors, settings.requestIdHeader),
    rateLimits: rateLimits.length === 0 ? undefined : new RateLimits(rateLimits, redis, logger),
    baseHeaders: apiHeaders(settings.helmet),
    requests: undefined,
    streams: new OpenStreams({ ...limits, interval: Math.min(1000, Math.max(10, shortest / 4)) }),
    exchanges: new LinkedList(),
    expecting: new WeakSet(),
    draining: false,
    closed: false,
    onIdle: undefined,
  };
}
