/** `zeromq-gateway router`: a router without a gateway. */

import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import { ApiRegistry, contractChecker } from '../../openapi/index.ts';
import { type ContractChecker, createStrategy, STRATEGIES, ZeroMQRouter } from '../../router/index.ts';
import { ADMIN_SETTINGS, openAdmin, viewFor } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { CURVE_SERVER_SETTINGS, serverCurve } from '../nodes/curve.ts';
import { explainBindErrors } from '../nodes/endpoints.ts';
import { openLog } from '../nodes/logging.ts';
import { type Resources, serve } from '../nodes/serve.ts';
import { type CommandContext, defineCommand, NODE_SETTINGS, ZONE_SETTINGS } from '../settings/command.ts';
import { optional, setting, type ValuesOf } from '../settings/settings.ts';
import {
  booleanFlag,
  choice,
  eventsByNode,
  filePath,
  listenEndpoint,
  millisecondsOrNone,
  timeoutMilliseconds,
  wholeNumber,
} from '../settings/value-types.ts';

/** Settings of commands that run a router. */
export const ROUTER_SETTINGS = {
  frontend: setting(listenEndpoint, {
    description: 'Listen address for clients and gateways',
    default: 'tcp://127.0.0.1:5555',
    defaultNote: 'tcp://127.0.0.1:5555, this machine only',
  }),
  backend: setting(listenEndpoint, {
    description: 'Listen address for workers',
    default: 'tcp://127.0.0.1:5556',
    defaultNote: 'tcp://127.0.0.1:5556, this machine only',
  }),
  heartbeat: setting(listenEndpoint, {
    description: 'Listen address for heartbeats',
    group: 'Heartbeats',
    default: 'tcp://127.0.0.1:5557',
    defaultNote: 'tcp://127.0.0.1:5557, this machine only',
  }),
  heartbeatInterval: setting(timeoutMilliseconds, {
    description: 'Interval between checks for missed heartbeats',
    group: 'Heartbeats',
    default: 10_000,
  }),
  heartbeatTimeout: setting(timeoutMilliseconds, {
    description: 'Silence after which a check counts as a missed heartbeat',
    group: 'Heartbeats',
    default: 30_000,
  }),
  heartbeatMisses: setting(wholeNumber(1, 1000), {
    description: 'Consecutive missed heartbeats that a peer may have; with one more it is lost',
    group: 'Heartbeats',
    default: 3,
  }),
  strategy: setting(choice('NAME', ...STRATEGIES), {
    description: `Strategy that selects the worker for a request: ${STRATEGIES.join(', ')}`,
    group: 'Routing',
    default: 'least-loaded',
  }),
  queueLimit: setting(wholeNumber(0, 10_000_000), {
    description: 'Maximum queued requests per event; more are rejected with QUEUE_FULL',
    group: 'Limits',
    default: 10_000,
  }),
  queueBytes: setting(wholeNumber(0, Number.MAX_SAFE_INTEGER), {
    description:
      'Maximum bytes of queued requests, counting 512 extra for each, and of unread replies; more are rejected with QUEUE_FULL',
    group: 'Limits',
    default: 256 * 1024 * 1024,
  }),
  startupGrace: setting(millisecondsOrNone, {
    description: 'How long after startup to hold requests for events that no worker serves yet',
    group: 'Routing',
    default: 4000,
  }),
  redispatches: setting(wholeNumber(0, 100), {
    description: 'How often an idempotent request is redispatched after its worker is lost',
    group: 'Routing',
    default: 1,
  }),
  streamIdleTimeout: setting(millisecondsOrNone, {
    description: 'How long a stream other than server-sent events may be silent; 0: for any time',
    group: 'Limits',
    default: 30_000,
  }),
  breakerOff: setting(booleanFlag, {
    description: 'Disable circuit breakers',
    group: 'Routing',
    default: false,
  }),
  clientMaxInFlight: setting(wholeNumber(1, 10_000_000), {
    description: 'Maximum requests in flight per client, such as a gateway; more are rejected with BUSY',
    group: 'Limits',
    default: 100_000,
  }),
  clientRate: optional(wholeNumber(1, 10_000_000), {
    description: 'Average requests per second allowed per client; more are rejected with BUSY',
    group: 'Limits',
    defaultNote: 'no limit',
  }),
  clientBurst: optional(wholeNumber(1, 10_000_000), {
    description: 'Requests that a client may send at once under --client-rate',
    group: 'Limits',
    defaultNote: 'the requests of one second',
  }),
  classicConcurrency: setting(wholeNumber(1, 100_000), {
    description: 'Concurrency of each Python worker',
    group: 'Python nodes',
    default: 1,
  }),
  classicEvents: optional(eventsByNode, {
    description: 'Event that a Python worker serves, by its node id',
    group: 'Python nodes',
    defaultNote: 'each serves all unannounced events',
  }),
  nodeFile: optional(filePath, {
    description: 'INI file that stores the node id; can be shared with Python nodes (config.ini)',
    group: 'Python nodes',
    defaultNote: 'a new id at every start',
  }),
  ...CURVE_SERVER_SETTINGS,
};

/** Creates a router, starts it, and registers it with `resources`. */
export async function openRouter(
  values: ValuesOf<typeof ROUTER_SETTINGS> & { readonly zone?: string | undefined },
  contractChecker: ContractChecker,
  logger: Logger,
  resources: Resources,
) {
  const { frontend, backend, heartbeat, queueLimit, queueBytes, startupGrace, redispatches } = values;
  const listeners = Object.entries({ frontend, backend, heartbeat }).map(([name, endpoint]) => {
    return { setting: name, endpoint };
  });
  const curve = serverCurve(values, listeners, logger, resources);
  const router = new ZeroMQRouter({
    frontendConnection: frontend,
    backendConnection: backend,
    heartbeatConfig: new ZeroMQHeartbeatConfig(heartbeat, {
      interval: values.heartbeatInterval,
      timeout: values.heartbeatTimeout,
      maxMissed: values.heartbeatMisses,
    }),
    strategy: createStrategy(values.strategy),
    zone: values.zone,
    limits: {
      ...{ queueLimit, queueBytes, startupGrace, redispatches },
      streamIdleTimeout: values.streamIdleTimeout || Infinity,
      ...(values.breakerOff ? { breaker: false } : {}),
    },
    clientLimits: {
      maxInFlight: values.clientMaxInFlight,
      rate: values.clientRate,
      burst: values.clientBurst,
    },
    classicConcurrency: values.classicConcurrency,
    classicEvents: values.classicEvents,
    configFile: values.nodeFile,
    curve,
    contractChecker,
    logger,
  });
  const endpoints = await explainBindErrors(listeners, () => router.start());
  resources.add(() => router.stop({ deadline: resources.drainLeft }), router.closed);
  return { router, endpoints };
}

const settings = { ...ROUTER_SETTINGS, ...ZONE_SETTINGS, ...ADMIN_SETTINGS, ...NODE_SETTINGS };

function route(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  return serve('router', values.drain, context, async (resources) => {
    const log = openLog(values, resources, context);
    const { logger } = log;
    const view = viewFor(values, resources);
    const admin =
      view === undefined ? '' : await openAdmin(values, new ProcessSource(view, log), logger, resources);
    const { router, endpoints } = await openRouter(
      values,
      contractChecker(new ApiRegistry()),
      logger,
      resources,
    );
    view?.addRouter(router);
    view?.ready();
    const { frontend, backend, heartbeat } = endpoints;
    return `frontend ${frontend}, backend ${backend}, heartbeat ${heartbeat}${admin}`;
  });
}

export const routerCommand = defineCommand({
  name: 'router',
  description:
    'Run a router. Clients and gateways connect to its frontend, workers to its backend. Python clients and workers ' +
    'can connect as well.',
  settings,
  examples: [
    'router',
    'router --frontend tcp://*:5555 --backend tcp://*:5556 --heartbeat tcp://*:5557 --curve-key router.key --allow-list peers.yaml',
    'router --frontend ipc:///run/zg/front.sock --backend ipc:///run/zg/back.sock --strategy round-robin',
  ],
  run: route,
});
