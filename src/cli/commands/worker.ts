/** `zeromq-gateway worker`: runs workers from files, on threads unless there are none. */
import path from 'node:path';
import { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import { ZeroMQWorkerThreads } from '../../worker/index.ts';
import { changedRouters } from '../../worker/routed-worker.ts';
import { ADMIN_SETTINGS, openAdmin, viewFor } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { WorkerPart } from '../admin/service-part.ts';
import { reloadConnections } from '../nodes/connection-reload.ts';
import { CURVE_CLIENT_SETTINGS, clientCurve } from '../nodes/curve.ts';
import { openLog } from '../nodes/logging.ts';
import { serve } from '../nodes/serve.ts';
import {
  type CommandContext,
  DNS_SETTINGS,
  defineCommand,
  NODE_SETTINGS,
  ZONE_SETTINGS,
} from '../settings/command.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import { connectEndpoint, file, filePath, list, stallTimeout, wholeNumber } from '../settings/value-types.ts';

/** Settings of commands that run worker files. */
export const WORKER_SETTINGS = {
  threads: setting(wholeNumber(0, 256), {
    description: 'Threads per worker file, or 0 to run handlers in the main thread',
    group: 'Workers',
    default: 1,
  }),
  concurrency: optional(wholeNumber(1, 100_000), {
    description: 'Requests that each thread runs at a time',
    group: 'Workers',
    defaultNote: 'from the file, else 64',
  }),
  threadStallTimeout: setting(stallTimeout, {
    description: 'How long a handler may block its thread before the thread is restarted, or off',
    group: 'Workers',
    default: 60_000,
  }),
};

const settings = {
  files: required(list(file), {
    description: 'TypeScript or JavaScript file with defineWorker(…) as its default export',
    positional: true,
  }),
  router: setting(list(connectEndpoint), {
    description: "Router's backend to connect to",
    variable: 'ZMQ_GATEWAY_ROUTER_BACKEND',
    default: ['tcp://127.0.0.1:5556'],
    defaultNote: 'tcp://127.0.0.1:5556',
  }),
  ...WORKER_SETTINGS,
  heartbeat: optional(list(connectEndpoint), {
    description: "Router's heartbeat address to send heartbeats to",
    group: 'Heartbeats',
    defaultNote: 'no heartbeats',
  }),
  ...DNS_SETTINGS,
  ...ZONE_SETTINGS,
  nodeFile: optional(filePath, {
    description: 'INI file that stores the node id; can be shared with Python nodes (config.ini)',
    group: 'Python nodes',
    defaultNote: 'a new id at every start',
  }),
  ...CURVE_CLIENT_SETTINGS,
  ...ADMIN_SETTINGS,
  ...NODE_SETTINGS,
};

function work(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { files, router, dnsInterval, threads, concurrency, threadStallTimeout, heartbeat, nodeFile, drain } =
    values;
  return serve('worker', drain, context, async (resources) => {
    const log = openLog(values, resources, context);
    const { logger } = log;
    const view = viewFor(values, resources);
    const admin = view ? await openAdmin(values, new ProcessSource(view, log), logger, resources) : '';
    const curve = clientCurve(values);
    const groups = files.map((module) => {
      return new ZeroMQWorkerThreads({
        module,
        threads,
        connection: router,
        dns: { interval: dnsInterval },
        concurrency,
        threadStallTimeout,
        heartbeatConfig: heartbeat === undefined ? undefined : new ZeroMQHeartbeatConfig(heartbeat),
        configFile: nodeFile,
        curve,
        zone: values.zone,
        logger,
      });
    });
    reloadConnections(
      resources,
      curve,
      (changed) => groups.forEach((group) => group.update(changed)),
      (routers) => changedRouters(router, routers),
    );
    resources.addAll(groups.map((group) => () => group.stop({ deadline: resources.drainLeft })));
    for (const [index, group] of groups.entries())
      view?.addService(new WorkerPart(path.basename(files[index] ?? ''), group));
    await Promise.all(groups.map((group) => group.start()));
    await Promise.all(groups.map((group) => group.accepted));
    view?.ready();
    const names = files.map((name) => path.basename(name)).join(', ');
    return `${names} ${placeOf(threads)}, router ${router.join(', ')}${admin}`;
  });
}

/** Says where handlers run. */
function placeOf(threads: number): string {
  if (threads === 0) return 'in the main thread';
  return `on ${threads} ${threads === 1 ? 'thread' : 'threads'} each`;
}

export const workerCommand = defineCommand({
  name: 'worker',
  description: 'Run workers from files, each in threads of its own, for one or more routers.',
  settings,
  examples: [
    'worker workers/echo.ts --router tcp://127.0.0.1:5556',
    'worker workers/*.ts --router tcp://10.0.0.1:5556 --router tcp://10.0.0.2:5556 --threads 2',
  ],
  run: work,
});
