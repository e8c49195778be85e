/** The gateway, put together. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { OpenAPIV3_1 } from 'openapi-types';
import { LinkedList } from '../core/collections/linked-list.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';
import type { Requester } from '../core/messages/message.ts';
import type { Health } from '../core/observability/health.ts';
import { activeTracing } from '../core/observability/tracing.ts';
import type { ApiSnapshot } from '../openapi/model/operation.ts';
import { BodyReader } from './binding/reader.ts';
import {
  type ApiSource,
  type AwaitedContracts,
  contained,
  type GatewayLogger,
  SILENT,
} from './common/api-source.ts';
import { Pipelines } from './common/pipeline.ts';
import { RequestIds } from './common/request-id.ts';
import type { GatewaySettingsInput } from './common/settings.ts';
import { readSettings } from './common/settings-schema.ts';
import type { GatewayContext } from './context/gateway-context.ts';
import { Dispatcher, type Next } from './exchange/dispatcher.ts';
import { gatewayHealth } from './pages/health.ts';
import { DocumentRenderer } from './pages/openapi-document.ts';
import { newPages } from './pages/pages.ts';
import type { RouteContext } from './routing/route.ts';
import { RouteTable } from './routing/route-table.ts';
import { accept } from './routing/snapshot-filter.ts';
import { Cors } from './security/cors.ts';
import { apiHeaders } from './security/headers.ts';
import { SecurityPolicy } from './security/policy.ts';
import { RateLimits } from './security/rate-limit.ts';
import { redisConnection } from './security/redis.ts';
import { newApp } from './server/express-app.ts';
import { newServer } from './server/http-server.ts';
import { closeGateway } from './server/shutdown.ts';

/** What a gateway is made of: its settings, and the parts that it stands between. */
export interface GatewayOptions extends GatewaySettingsInput {
  /** Takes events and gives their replies: a connected client, or in one process the router itself. */
  readonly requester: Requester;
  /** Where the document comes from, such as an `ApiRegistry`. */
  readonly api: ApiSource;
  /**
   * Contracts that reach `api` after the start, such as `LiveContracts`: until they are complete the gateway is not
   * ready, and answers 503 `STARTING` for paths and methods that it does not know. Default: none are waited for.
   */
  readonly contracts?: AwaitedContracts;
  /** Where the log goes; a pino logger will do. Default: nowhere. */
  readonly logger?: GatewayLogger;
  /** Name in diagnostics. Default `gateway`. */
  readonly name?: string;
}

/** Where a gateway listens. */
export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** A gateway. It serves from the moment it is made; `listen()` gives it a port of its own. */
export interface Gateway {
  /** Handles requests within somebody's own Express app, also under a prefix. */
  readonly middleware: (req: IncomingMessage, res: ServerResponse, next: Next) => void;
  /** The Express app behind `listen()`. What is added to it sees the paths that the document does not have. */
  readonly app: Express;
  /** The server behind `listen()`. */
  readonly server: Server;
  /** Operation requests in flight. */
  readonly inFlight: number;
  /** Whether it can serve, and if not, why: what `/readyz` answers. */
  health(): Health;
  /** The document as it is served at `/openapi.json`. */
  openapi(): OpenAPIV3_1.Document;
  /**
   * Listens on the host and port of the settings.
   * @throws ZeroMQConfigError when the address cannot be had.
   */
  listen(): Promise<GatewayAddress>;
  /**
   * Stops: takes no new connections, finishes what is in flight, and frees everything. The requester stays open.
   * @param options `deadline`: ms after which requests in flight are cut off; default 10,000.
   */
  close(options?: { deadline?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a gateway: an HTTP face on a requester, with the routes and rules of an OpenAPI document.
 *
 * @throws ZeroMQConfigError when a setting is wrong, or the document demands a security scheme that is not configured.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { requester, api, contracts, logger: givenLogger, name = 'gateway', ...input } = options;
  const logger = givenLogger === undefined ? SILENT : contained(givenLogger);
  const settings = readSettings(input);
  const redis = settings.redis === undefined ? undefined : redisConnection(settings.redis, logger);
  const { cors, limits, clientTimeouts, rateLimits } = settings;
  const core: GatewayContext = {
    name,
    settings,
    requester,
    logger,
    tracing: activeTracing(),
    ids: new RequestIds(),
    bodies: new BodyReader({ ...limits, timeout: clientTimeouts.body }),
    // However low the limit of all requests is, one connection leaves places to others.
    pipelines: new Pipelines(Math.max(1, Math.min(limits.pipelined, Math.floor(limits.inFlight / 2)))),
    cors: cors === false ? undefined : new Cors(cors, settings.requestIdHeader),
    rateLimits: rateLimits.length === 0 ? undefined : new RateLimits(rateLimits, redis, logger),
    baseHeaders: apiHeaders(settings.helmet),
    contracts,
    exchanges: new LinkedList(),
    expecting: new WeakSet(),
    draining: false,
    closed: false,
    onIdle: undefined,
  };
  const policy = new SecurityPolicy(settings, logger);
  const { baseHeaders } = core;
  const context: RouteContext = {
    settings,
    logger,
    baseHeaders,
    guardFor: (...about) => policy.guardFor(...about),
  };
  const first = api.snapshot();
  let renderer = new DocumentRenderer(first, settings.publicUrl);
  const pages = newPages(core, () => renderer);
  const dispatcher = new Dispatcher(core, new RouteTable(first, pages, context));
  const born = newApp(dispatcher, settings.trustProxy);
  const server = newServer(core, born, dispatcher);

  /** Document and routes change together, or not at all. */
  const swap = (snapshot: ApiSnapshot): void => {
    dispatcher.table = new RouteTable(snapshot, pages, context, dispatcher.table);
    renderer = new DocumentRenderer(snapshot, settings.publicUrl);
  };
  const onChange = (): void => {
    try {
      const { snapshot, refused } = accept(api.snapshot(), context.guardFor);
      swap(snapshot);
      for (const [source, err] of refused)
        logger.error({ err, source }, 'a contract is refused and left out');
      const { revision, operations } = snapshot;
      logger.info({ revision, operations: operations.length }, 'the document has changed');
    } catch (error) {
      logger.error({ err: toError(error) }, 'a changed document is refused; the old one stays');
    }
  };
  api.on('change', onChange);
  redis
    ?.connect()
    .catch((error: unknown) => logger.error({ err: toError(error) }, 'cannot connect to Redis'));

  let closing: Promise<void> | undefined;
  const close = (deadline: number): Promise<void> => {
    api.off('change', onChange);
    return closeGateway(core, server, deadline).finally(() => redis?.close());
  };
  return {
    middleware: (req, res, next) => dispatcher.handle(req, res, settings.fallthrough ? next : undefined),
    app: born.app,
    server,
    get inFlight() {
      return core.exchanges.length;
    },
    health: () => gatewayHealth(core),
    openapi: () => renderer.document(''),
    listen: () => listen(server, settings.host, settings.port),
    close: ({ deadline = 10_000 } = {}) => (closing ??= close(deadline)),
    [Symbol.asyncDispose]: () => (closing ??= close(10_000)),
  };
}

function listen(server: Server, host: string, port: number): Promise<GatewayAddress> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(new ZeroMQConfigError(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
    };
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      const address = server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      resolve({ host: address.address, port: address.port, url: `http://${name}:${address.port}` });
    });
  });
}
