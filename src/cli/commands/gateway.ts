/** `zeromq-gateway gateway`: an HTTP gateway in front of routers in other processes. */
import path from 'node:path';
import { ZeroMQClient } from '../../client/index.ts';
import type { LogLevel } from '../../core/logging/logging.ts';
import type { Requester } from '../../core/messages/message.ts';
import {
  createGateway,
  type Gateway,
  type GatewaySettingsInput,
  type PendingContracts,
  readSettings,
} from '../../gateway/index.ts';
import { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import { ApiRegistry } from '../../openapi/index.ts';
import { parseStoreUrl } from '../../store/index.ts';
import { ADMIN_SETTINGS, openAdmin, viewFor } from '../admin/admin.ts';
import { ClusterSource, ProcessSource } from '../admin/admin-source.ts';
import { followContracts } from '../admin/contract-follower.ts';
import type { ProcessView } from '../admin/process-view.ts';
import { RemoteRouters } from '../admin/remote-routers.ts';
import { CONNECTION_NAMES, reloadConnections } from '../nodes/connection-reload.ts';
import { CURVE_CLIENT_SETTINGS, clientCurve } from '../nodes/curve.ts';
import { documentSettings, loadDocuments } from '../nodes/documents.ts';
import { explainBindErrors } from '../nodes/endpoints.ts';
import { HOOK_SETTINGS, loadHooks } from '../nodes/hooks.ts';
import { HTTP_NAMES, reloadHttp } from '../nodes/http-reload.ts';
import { openLog } from '../nodes/logging.ts';
import { type Resources, serve } from '../nodes/serve.ts';
import {
  type TracedSettings,
  type TrafficLogTarget,
  traceChanges,
  traceRequests,
} from '../nodes/traffic-log.ts';
import { Cluster, isFirstMember, isMember, type Member, serveAsMember } from '../process/cluster.ts';
import {
  type CommandContext,
  DNS_SETTINGS,
  defineCommand,
  NODE_SETTINGS,
  ZONE_SETTINGS,
} from '../settings/command.ts';
import { UsageError } from '../settings/errors.ts';
import { json } from '../settings/json-types.ts';
import { optional, setting, type ValuesOf } from '../settings/settings.ts';
import {
  booleanFlag,
  choice,
  connectEndpoint,
  file,
  host,
  list,
  port,
  storeOrOff,
  timeoutMilliseconds,
  wholeNumber,
} from '../settings/value-types.ts';

/** Store of `up` and `dev`, in the working folder. */
export const DEFAULT_STORE: string = '.zeromq-gateway/requests.db';

/** Settings of commands that serve HTTP. */
export const HTTP_SETTINGS = {
  host: setting(host, {
    description: 'HTTP listen address; 0.0.0.0 or :: for all interfaces',
    default: '127.0.0.1',
    defaultNote: '127.0.0.1, this machine only',
  }),
  port: setting(port, { description: 'HTTP port; 0 for a free one', default: 8080 }),
  timeout: setting(timeoutMilliseconds, {
    description: 'Timeout of operations whose document sets none',
    group: 'HTTP',
    default: 5000,
  }),
  accessLog: setting(booleanFlag, {
    description: 'Log every HTTP request in one line',
    group: 'Logging',
    default: false,
  }),
  http: optional(json, {
    description:
      'More HTTP settings (docs/configuration/http.md), as JSON or as a map in the configuration file',
    group: 'HTTP',
    defaultNote: '{}',
  }),
  docs: optional(choice('PAGE', 'swagger', 'scalar'), {
    description: 'Page that shows the API at /docs; scalar needs a package (docs/gateway/documents.md)',
    group: 'HTTP',
    defaultNote: 'swagger',
  }),
  store: optional(storeOrOff, {
    description:
      'Database of asynchronous requests and of requests with an idempotency key (docs/gateway/idempotency.md): ' +
      'sqlite:FILE, postgres://…, or off',
    group: 'HTTP',
    defaultNote: 'off',
  }),
  tlsCert: optional(file, {
    description: 'PEM file with the TLS certificate and those of its issuers; read again when it changes',
    group: 'Security',
    defaultNote: 'plain HTTP',
  }),
  tlsKey: optional(file, {
    description: 'PEM file with the private key of --tls-cert, without a passphrase',
    group: 'Security',
    defaultNote: 'none',
  }),
  ...HOOK_SETTINGS,
};

const settings = {
  router: setting(list(connectEndpoint), {
    description: "Router's frontend to connect to",
    variable: 'ZMQ_GATEWAY_ROUTER_FRONTEND',
    default: ['tcp://127.0.0.1:5555'],
    defaultNote: 'tcp://127.0.0.1:5555',
  }),
  ...HTTP_SETTINGS,
  ...documentSettings('none'),
  classicRouter: setting(booleanFlag, {
    description: 'Connect to Python routers: one request per socket, no contracts from workers',
    group: 'Python nodes',
    default: false,
  }),
  poolSize: setting(wholeNumber(1, 10_000), {
    description: 'Sockets per router, and so concurrent requests, with --classic-router',
    group: 'Python nodes',
    default: 16,
  }),
  heartbeat: optional(list(connectEndpoint), {
    description: "Router's heartbeat address to send heartbeats to",
    group: 'Heartbeats',
    defaultNote: 'no heartbeats',
  }),
  ...DNS_SETTINGS,
  ...ZONE_SETTINGS,
  ...CURVE_CLIENT_SETTINGS,
  processes: setting(wholeNumber(1, 256), { description: 'Processes that share the port', default: 1 }),
  ...ADMIN_SETTINGS,
  ...NODE_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

/**
 * Fills in the store of commands that run on one machine without set-up: a SQLite file in the working
 * folder, which is created when an operation needs it.
 */
export function withDefaultStore<Values extends ValuesOf<typeof HTTP_SETTINGS>>(
  values: Values,
  cwd: string,
): Values {
  const { store, http } = values;
  if (store !== undefined || (http as GatewaySettingsInput | undefined)?.store !== undefined) return values;
  return { ...values, store: `sqlite:${path.join(cwd, DEFAULT_STORE)}` };
}

/** Selects the settings that `createGateway` accepts. */
export function gatewaySettings(values: ValuesOf<typeof HTTP_SETTINGS>): GatewaySettingsInput {
  const { host: address, port: number, timeout, accessLog, http, docs, store, tlsCert, tlsKey } = values;
  const more = http as GatewaySettingsInput | undefined;
  const tls = { ...more?.tls, ...(tlsCert && { cert: tlsCert }), ...(tlsKey && { key: tlsKey }) };
  return {
    ...more,
    host: address,
    port: number,
    ...(Object.keys(tls).length > 0 && { tls }),
    timeout,
    accessLog: accessLog || more?.accessLog,
    docs: docs ?? more?.docs,
    store: store === false ? undefined : (store ?? more?.store),
  };
}

/** Texts about the API in the served document. */
interface ApiTexts {
  readonly apiTitle: string | undefined;
  readonly apiDescription: string | undefined;
}

/**
 * Creates a registry that rejects worker contracts which require a security scheme the gateway has
 * not configured.
 *
 * @throws {ZeroMQConfigError} when a setting of the gateway is invalid.
 */
export function openRegistry(values: ValuesOf<typeof HTTP_SETTINGS> & ApiTexts): ApiRegistry {
  const { auth } = readSettings(gatewaySettings(values));
  const { apiTitle: title, apiDescription: description } = values;
  const info = { ...(title && { title }), ...(description && { description }) };
  return new ApiRegistry({ configuredSchemes: Object.keys(auth.schemes), info });
}

/** Creates a gateway, starts listening, and registers it with `resources`. */
export async function openGateway(
  { values, logger, adapt }: TracedSettings<ValuesOf<typeof HTTP_SETTINGS>>,
  requester: Requester,
  registry: ApiRegistry,
  resources: Resources,
  contracts?: PendingContracts,
): Promise<{ readonly gateway: Gateway; readonly url: string }> {
  const { host: address, port: number } = values;
  const gateway = createGateway({
    ...gatewaySettings(values),
    requester,
    api: registry,
    contracts,
    hooks: await loadHooks(values.hooks),
    logger,
  });
  resources.add(() => gateway.close({ deadline: resources.drainLeft }));
  reloadHttp(resources, gateway, (changed) => {
    const { timeout = values.timeout } = changed;
    return gatewaySettings(adapt({ ...values, ...changed, timeout }));
  });
  const listeners = [{ setting: 'port', endpoint: `${address}:${number}` }];
  const { url } = await explainBindErrors(listeners, () => gateway.listen());
  return { gateway, url };
}

/** Runs a single gateway process, with its own admin listener if one is configured. */
async function openSingle(values: Values, context: CommandContext, resources: Resources): Promise<string> {
  const log = openLog(values, resources, context);
  const view = viewFor(values, resources);
  const admin =
    view === undefined ? '' : await openAdmin(values, new ProcessSource(view, log), log.logger, resources);
  return (await openNode(values, { log, context, resources }, view)) + admin;
}

/** Runs a gateway process as member of a cluster, whose primary has the admin listener. */
async function openMember(values: Values, context: CommandContext, resources: Resources): Promise<Member> {
  const log = openLog(values, resources, context);
  const view = viewFor(values, resources);
  const ready = await openNode(values, { log, context, resources }, view);
  if (view === undefined) return { ready, log };
  return {
    ready,
    log,
    queries: {
      readings: () => view.metrics.read(),
      health: () => view.health(),
      snapshot: () => view.snapshot(),
      contract: (name) => view.contract(name),
      drainWorker: (id, drain) => view.drainWorker(id, drain),
      pauseEvent: (name, pause) => view.pauseEvent(name, pause),
      requests: (command) => view.storedRequests(command),
    },
  };
}

/** Opens the gateway and the client of a process. Returns the part of the ready line about them. */
async function openNode(
  values: Values,
  target: TrafficLogTarget,
  view: ProcessView | undefined,
): Promise<string> {
  const {
    log: { logger },
    resources,
  } = target;
  const { router: routers, dnsInterval, classicRouter: classic, poolSize, heartbeat } = values;
  const dns = { interval: dnsInterval };
  const registry = openRegistry(values);
  loadDocuments(registry, values.openapi ?? [], values, logger, resources);
  const heartbeatConfig = heartbeat === undefined ? undefined : new ZeroMQHeartbeatConfig(heartbeat);
  // One of the processes that share a port speaks for all.
  if (!isMember() || isFirstMember()) traceChanges(registry, target);
  const curve = clientCurve(values);
  const client = new ZeroMQClient({
    connection: routers,
    dns,
    classic,
    poolSize,
    heartbeatConfig,
    curve,
    zone: values.zone,
    logger,
    // The gateway limits the silence of streams itself.
    streamIdleTimeout: Infinity,
  });
  resources.add(() => client.close());
  let contracts: PendingContracts | undefined;
  const followed = classic
    ? undefined
    : followContracts({ routers, dns, curve }, client, registry, logger, resources);
  reloadConnections(resources, curve, (changed) => {
    client.update(changed);
    followed?.update(changed);
  });
  if (followed !== undefined) {
    ({ contracts } = followed);
    if (view !== undefined) view.remote = new RemoteRouters(followed);
  }
  if (!(await client.connect())) {
    logger.warn({ routers }, 'no router is reachable: requests receive status 503 until one is');
  }
  const traced = traceRequests(values, target);
  const opened = openGateway(traced, client, registry, resources, contracts);
  const { gateway, url } = await opened;
  view?.addGateway(gateway);
  view?.ready();
  return `${url}, docs ${url}/docs, router ${routers.join(', ')}`;
}

async function run(values: Values, context: CommandContext): Promise<number> {
  const { processes, drain } = values;
  if (isMember()) return serveAsMember(drain, context, (resources) => openMember(values, context, resources));
  if (processes === 1)
    return serve('gateway', drain, context, (resources) => openSingle(values, context, resources));
  // Validates the settings in the primary, so that each error is reported once and not by every
  // member.
  const { store } = readSettings(gatewaySettings(values));
  if (store !== undefined && parseStoreUrl(store).kind === 'sqlite') {
    throw new UsageError([
      'store: a SQLite file belongs to one process; with --processes, use a postgres:// URL',
    ]);
  }
  return serve('gateway', drain, context, async (resources) => {
    const changed = (level: LogLevel | 'silent'): void => cluster.setLogLevel(level);
    const log = openLog(values, resources, context, { changed });
    const cluster = new Cluster(processes, log.logger);
    const admin = await openAdmin(values, new ClusterSource(cluster, log), log.logger, resources);
    resources.add(() => cluster.stop(resources.drainLeft));
    resources.reloads.add<Values>({
      names: [...HTTP_NAMES, ...CONNECTION_NAMES],
      prepare: async (next) => {
        readSettings(gatewaySettings(next));
        await cluster.prepareReload();
        return () => cluster.endReload(true);
      },
      failed: () => cluster.endReload(false),
    });
    return `${await cluster.start()}, ${processes} processes${admin}`;
  });
}

export const gatewayCommand = defineCommand({
  name: 'gateway',
  description:
    'Run an HTTP gateway that maps REST requests to events. Its routes come from the contracts that workers ' +
    'announce through the routers and from OpenAPI documents.',
  settings,
  examples: [
    'gateway --router tcp://127.0.0.1:5555',
    'gateway --router tcp://10.0.0.1:5555 --router tcp://10.0.0.2:5555 --host 0.0.0.0 --processes 4',
    'gateway --router tcp://10.0.0.9:5555 --classic-router --openapi inventory.yaml --openapi /v2=orders.yaml',
  ],
  run,
});
