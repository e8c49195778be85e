/** `zeromq-gateway gateway`: an HTTP gateway in front of routers in other processes. */

import { ZeroMQClient } from '../../client/index.ts';
import type { Logger } from '../../core/logging/logging.ts';
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
import { ADMIN_SETTINGS, openAdmin, viewFor } from '../admin/admin.ts';
import { ClusterSource, ProcessSource } from '../admin/admin-source.ts';
import { followContracts } from '../admin/contract-follower.ts';
import type { ProcessView } from '../admin/process-view.ts';
import { RemoteRouters } from '../admin/remote-routers.ts';
import { CURVE_CLIENT_SETTINGS, clientCurve } from '../nodes/curve.ts';
import { documentSettings, loadDocuments } from '../nodes/documents.ts';
import { explainBindErrors } from '../nodes/endpoints.ts';
import { HOOK_SETTINGS, loadHooks } from '../nodes/hooks.ts';
import { openLog } from '../nodes/logging.ts';
import { type Resources, serve } from '../nodes/serve.ts';
import { Cluster, isMember, type Member, serveAsMember } from '../process/cluster.ts';
import { type CommandContext, DNS_SETTINGS, defineCommand, NODE_SETTINGS } from '../settings/command.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import {
  booleanFlag,
  connectEndpoint,
  host,
  json,
  list,
  port,
  timeoutMilliseconds,
  wholeNumber,
} from '../settings/value-types.ts';

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
  ...HOOK_SETTINGS,
};

const settings = {
  router: required(list(connectEndpoint), { description: "Router's frontend to connect to" }),
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
  ...CURVE_CLIENT_SETTINGS,
  processes: setting(wholeNumber(1, 256), { description: 'Processes that share the port', default: 1 }),
  ...ADMIN_SETTINGS,
  ...NODE_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

/** Selects the settings that `createGateway` accepts. */
export function gatewaySettings(values: ValuesOf<typeof HTTP_SETTINGS>): GatewaySettingsInput {
  const { host: address, port: number, timeout, accessLog, http } = values;
  const more = http as GatewaySettingsInput | undefined;
  return {
    ...more,
    host: address,
    port: number,
    timeout,
    accessLog: accessLog || more?.accessLog,
  };
}

/**
 * Creates a registry that rejects worker contracts which require a security scheme the gateway has
 * not configured.
 *
 * @throws {ZeroMQConfigError} when a setting of the gateway is invalid.
 */
export function openRegistry(values: ValuesOf<typeof HTTP_SETTINGS>): ApiRegistry {
  const { auth } = readSettings(gatewaySettings(values));
  return new ApiRegistry({ configuredSchemes: Object.keys(auth.schemes) });
}

/** Creates a gateway, starts listening, and registers it with `resources`. */
export async function openGateway(
  values: ValuesOf<typeof HTTP_SETTINGS>,
  requester: Requester,
  registry: ApiRegistry,
  logger: Logger,
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
  const listeners = [{ setting: 'port', endpoint: `${address}:${number}` }];
  const { url } = await explainBindErrors(listeners, () => gateway.listen());
  return { gateway, url };
}

/** Runs a single gateway process, with its own admin listener if one is configured. */
async function openSingle(values: Values, resources: Resources): Promise<string> {
  const log = openLog(values, resources);
  const view = viewFor(values, resources);
  const admin =
    view === undefined ? '' : await openAdmin(values, new ProcessSource(view, log), log.logger, resources);
  return (await openNode(values, log.logger, view, resources)) + admin;
}

/** Runs a gateway process as member of a cluster, whose primary has the admin listener. */
async function openMember(values: Values, resources: Resources): Promise<Member> {
  const log = openLog(values, resources);
  const view = viewFor(values, resources);
  const ready = await openNode(values, log.logger, view, resources);
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
    },
  };
}

/** Opens the gateway and the client of a process. Returns the part of the ready line about them. */
async function openNode(
  values: Values,
  logger: Logger,
  view: ProcessView | undefined,
  resources: Resources,
): Promise<string> {
  const { router: routers, dnsInterval, classicRouter: classic, poolSize, heartbeat } = values;
  const dns = { interval: dnsInterval };
  const registry = openRegistry(values);
  loadDocuments(registry, values.openapi ?? [], values, logger, resources);
  const heartbeatConfig = heartbeat === undefined ? undefined : new ZeroMQHeartbeatConfig(heartbeat);
  const curve = clientCurve(values);
  const client = new ZeroMQClient({
    connection: routers,
    dns,
    classic,
    poolSize,
    heartbeatConfig,
    curve,
    logger,
    // The gateway limits the silence of streams itself.
    streamIdleTimeout: Infinity,
  });
  resources.add(() => client.close());
  let contracts: PendingContracts | undefined;
  if (!classic) {
    const followed = followContracts({ routers, dns, curve }, client, registry, logger, resources);
    ({ contracts } = followed);
    if (view !== undefined) view.remote = new RemoteRouters(followed);
  }
  if (!(await client.connect())) {
    logger.warn({ routers }, 'no router is reachable: requests receive status 503 until one is');
  }
  const { gateway, url } = await openGateway(values, client, registry, logger, resources, contracts);
  view?.addGateway(gateway);
  view?.ready();
  return `${url}, docs ${url}/docs, router ${routers.join(', ')}`;
}

async function run(values: Values, context: CommandContext): Promise<number> {
  const { processes, drain } = values;
  if (isMember()) return serveAsMember(drain, (resources) => openMember(values, resources));
  if (processes === 1) return serve('gateway', drain, context, (resources) => openSingle(values, resources));
  // Validates the settings in the primary, so that each error is reported once and not by every
  // member.
  readSettings(gatewaySettings(values));
  return serve('gateway', drain, context, async (resources) => {
    const log = openLog(values, resources, (level) => cluster.setLogLevel(level));
    const cluster = new Cluster(processes, log.logger);
    const admin = await openAdmin(values, new ClusterSource(cluster, log), log.logger, resources);
    resources.add(() => cluster.stop(resources.drainLeft));
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
