/** `zeromq-gateway worker`: workers from files, on threads. */
import path from 'node:path';
import { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import { ZeroMQWorkerThreads } from '../../worker/index.ts';
import { CURVE_CLIENT_SETTINGS, clientCurve } from '../nodes/curve.ts';
import { openLog } from '../nodes/logging.ts';
import { serve } from '../nodes/serve.ts';
import { DNS_SETTINGS, defineCommand, NODE_SETTINGS, type Surroundings } from '../settings/command.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import { file, fileToBe, list, patience, remote, wholeNumber } from '../settings/value-types.ts';

/** Settings of whatever runs worker files. */
export const WORKER_SETTINGS = {
  threads: setting(wholeNumber(1, 256), { description: 'Threads for each file', default: 1 }),
  concurrency: optional(wholeNumber(1, 100_000), {
    description: 'Requests that a thread runs at a time',
    defaultNote: 'as the file says, else 64',
  }),
  threadStallTimeout: setting(patience, {
    description: 'A thread that a handler blocks for so long is ended and started again; off: never',
    default: 60_000,
  }),
};

const settings = {
  files: required(list(file), {
    description: 'TypeScript or JavaScript whose default export is defineWorker(…)',
    positional: true,
  }),
  router: required(list(remote), { description: "A router's backend" }),
  ...WORKER_SETTINGS,
  heartbeat: optional(list(remote), {
    description: 'Where to send heartbeats, for each router',
    defaultNote: 'nowhere',
  }),
  ...DNS_SETTINGS,
  nodeFile: optional(fileToBe, {
    description: "INI file that keeps the node's id, shared with Python nodes (config.ini)",
    defaultNote: 'a new id at each start',
  }),
  ...CURVE_CLIENT_SETTINGS,
  ...NODE_SETTINGS,
};

function work(values: ValuesOf<typeof settings>, surroundings: Surroundings): Promise<number> {
  const { files, router, dnsInterval, threads, concurrency, threadStallTimeout, heartbeat, nodeFile, drain } =
    values;
  return serve('worker', drain, surroundings, async (opened) => {
    const { logger } = openLog(values, opened);
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
        logger,
      });
    });
    opened.addAll(groups.map((group) => () => group.stop({ deadline: opened.drainLeft })));
    await Promise.all(groups.map((group) => group.start()));
    const names = files.map((name) => path.basename(name)).join(', ');
    return `${names} on ${threads} ${threads === 1 ? 'thread' : 'threads'} each, router ${router.join(', ')}`;
  });
}

export const workerCommand = defineCommand({
  name: 'worker',
  description: 'Runs workers from files, each on threads of its own, behind one or more routers.',
  settings,
  examples: [
    'worker workers/echo.ts --router tcp://127.0.0.1:5556',
    'worker workers/*.ts --router tcp://10.0.0.1:5556 --router tcp://10.0.0.2:5556 --threads 2',
  ],
  run: work,
});
