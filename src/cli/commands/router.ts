/** `zeromq-gateway router`: a router by itself. */

import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import { ApiRegistry, contractChecker } from '../../openapi/index.ts';
import { type ContractChecker, createStrategy, STRATEGIES, ZeroMQRouter } from '../../router/index.ts';
import { ADMIN_SETTINGS, openAdmin, viewFor } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { CURVE_SERVER_SETTINGS, serverCurve } from '../nodes/curve.ts';
import { binding } from '../nodes/endpoints.ts';
import { openLog } from '../nodes/logging.ts';
import { type Opened, serve } from '../nodes/serve.ts';
import { defineCommand, NODE_SETTINGS, type Surroundings } from '../settings/command.ts';
import { optional, setting, type ValuesOf } from '../settings/settings.ts';
import {
  choice,
  eventsByNode,
  fileToBe,
  listener,
  milliseconds,
  millisecondsOrNone,
  wholeNumber,
  yesOrNo,
} from '../settings/value-types.ts';

/** Settings of whatever has a router in it. */
export const ROUTER_SETTINGS = {
  frontend: setting(listener, {
    description: 'Where clients and gateways connect',
    default: 'tcp://127.0.0.1:5555',
    defaultNote: 'tcp://127.0.0.1:5555, this machine only',
  }),
  backend: setting(listener, {
    description: 'Where workers connect',
    default: 'tcp://127.0.0.1:5556',
    defaultNote: 'tcp://127.0.0.1:5556, this machine only',
  }),
  heartbeat: setting(listener, {
    description: 'Where to receive heartbeats',
    default: 'tcp://127.0.0.1:5557',
    defaultNote: 'tcp://127.0.0.1:5557, this machine only',
  }),
  heartbeatInterval: setting(milliseconds, {
    description: 'Time between checks for missed heartbeats',
    default: 10_000,
  }),
  heartbeatTimeout: setting(milliseconds, {
    description: 'Silence that counts as a missed heartbeat',
    default: 30_000,
  }),
  heartbeatMisses: setting(wholeNumber(1, 1000), {
    description: 'Missed heartbeats in a row after which a worker is out',
    default: 3,
  }),
  strategy: setting(choice('NAME', ...STRATEGIES), {
    description: `Who gets a request: ${STRATEGIES.join(', ')}`,
    default: 'least-loaded',
  }),
  queueLimit: setting(wholeNumber(0, 10_000_000), {
    description: 'Requests that may wait for one event; more are refused',
    default: 10_000,
  }),
  queueBytes: setting(wholeNumber(0, Number.MAX_SAFE_INTEGER), {
    description:
      'Bytes of all requests that wait, 512 for each included, and of replies that clients do not read; more are refused',
    default: 256 * 1024 * 1024,
  }),
  startupGrace: setting(millisecondsOrNone, {
    description: 'For so long after the start, requests that nobody serves wait for a worker',
    default: 4000,
  }),
  redispatches: setting(wholeNumber(0, 100), {
    description: 'Other workers that an idempotent request is given to when its worker is lost',
    default: 1,
  }),
  breakerOff: setting(yesOrNo, {
    description:
      'Rest no worker for an event that it keeps failing at, and no event that keeps killing workers',
    default: false,
  }),
  clientMaxInFlight: setting(wholeNumber(1, 10_000_000), {
    description: 'Requests that one client, such as a gateway, may have under way; more are refused',
    default: 100_000,
  }),
  clientRate: optional(wholeNumber(1, 10_000_000), {
    description: 'Requests a second that one client may send, on average; more are refused',
    defaultNote: 'no limit',
  }),
  clientBurst: optional(wholeNumber(1, 10_000_000), {
    description: 'Requests that one client may send at once, where the rate is limited',
    defaultNote: 'those of one second',
  }),
  classicConcurrency: setting(wholeNumber(1, 100_000), {
    description: 'Requests that a worker of the Python original is given at a time',
    default: 1,
  }),
  classicEvents: optional(eventsByNode, {
    description: 'Bind a worker of the Python original, by its node id, to an event that it serves',
    defaultNote: 'each serves every event that no other worker ever announced',
  }),
  nodeFile: optional(fileToBe, {
    description: "INI file that keeps the node's id, shared with Python nodes (config.ini)",
    defaultNote: 'a new id at each start',
  }),
  ...CURVE_SERVER_SETTINGS,
};

/** Makes a router, starts it, and leaves word of how to stop it. */
export async function openRouter(
  values: ValuesOf<typeof ROUTER_SETTINGS>,
  contractChecker: ContractChecker,
  logger: Logger,
  opened: Opened,
) {
  const { frontend, backend, heartbeat, queueLimit, queueBytes, startupGrace, redispatches } = values;
  const listeners = Object.entries({ frontend, backend, heartbeat }).map(([name, endpoint]) => {
    return { setting: name, endpoint };
  });
  const curve = serverCurve(values, listeners, logger, opened);
  const router = new ZeroMQRouter({
    frontendConnection: frontend,
    backendConnection: backend,
    heartbeatConfig: new ZeroMQHeartbeatConfig(heartbeat, {
      interval: values.heartbeatInterval,
      timeout: values.heartbeatTimeout,
      maxMissed: values.heartbeatMisses,
    }),
    strategy: createStrategy(values.strategy),
    limits: {
      ...{ queueLimit, queueBytes, startupGrace, redispatches },
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
  const endpoints = await binding(listeners, () => router.start());
  opened.add(() => router.stop({ deadline: opened.drainLeft }), router.closed);
  return { router, endpoints };
}

const settings = { ...ROUTER_SETTINGS, ...ADMIN_SETTINGS, ...NODE_SETTINGS };

function route(values: ValuesOf<typeof settings>, surroundings: Surroundings): Promise<number> {
  return serve('router', values.drain, surroundings, async (opened) => {
    const log = openLog(values, opened);
    const { logger } = log;
    const view = viewFor(values, opened);
    const admin =
      view === undefined ? '' : await openAdmin(values, new ProcessSource(view, log), logger, opened);
    const { router, endpoints } = await openRouter(
      values,
      contractChecker(new ApiRegistry()),
      logger,
      opened,
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
    'Runs a router: clients and gateways connect to its frontend, workers to its backend, both of ours and of the ' +
    'Python original, in any mix.',
  settings,
  examples: [
    'router',
    'router --frontend tcp://*:5555 --backend tcp://*:5556 --heartbeat tcp://*:5557 --curve-key router.key --allow-list peers.yaml',
    'router --frontend ipc:///run/zg/front.sock --backend ipc:///run/zg/back.sock --strategy round-robin',
  ],
  run: route,
});
