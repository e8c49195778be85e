/** The contenders of this project: the built product, started through its command line. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender, Launch } from './contender.ts';
import type { ProcessSpec } from './process.ts';

/** Folder of this project. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STREAMS = path.join(ROOT, 'bench/drivers/streams');
const ECHO_WORKER = 'workers/echo.ts';

const DOES =
  'deadline of 5 s, bounded queues, heartbeats, validation against the contract, problem details, metadata on the wire';

/** Returns why these contenders cannot run, or undefined if they can. */
export function missingBuild(root = ROOT): string | undefined {
  return existsSync(mainOf(root)) ? undefined : `${path.join(root, 'dist')} is not built`;
}

function mainOf(root: string): string {
  return path.join(root, 'dist/cli/main.js');
}

/** Returns a command with its name in the reports. `ready[1]` is the rest of its ready line. */
function command(name: string, args: readonly string[], root = ROOT): ProcessSpec {
  const all = [mainOf(root), ...args, '--log-level', 'warn'];
  return { name, command: process.execPath, args: all, ready: /is ready: (.*)$/ };
}

/** Endpoints of a router. */
export interface RouterEndpoints {
  readonly frontend: string;
  readonly backend: string;
  readonly heartbeat: string;
}

const ANY_PORT = 'tcp://127.0.0.1:0';
const FREE_PORTS = ['--frontend', ANY_PORT, '--backend', ANY_PORT, '--heartbeat', ANY_PORT];

/** Starts a router. */
export async function startRouter(launch: Launch, root = ROOT): Promise<RouterEndpoints> {
  const { ready } = await launch(command('router', ['router', ...FREE_PORTS], root));
  return endpointsIn(ready);
}

function endpointsIn(ready: RegExpExecArray): RouterEndpoints {
  const [frontend, backend, heartbeat] = ready[1]?.match(/tcp:\/\/[^\s,;]+/g) ?? [];
  if (frontend === undefined || backend === undefined || heartbeat === undefined) {
    throw new Error(`the router's ready line does not have its three endpoints: ${ready[0]}`);
  }
  return { frontend, backend, heartbeat };
}

/** Starts a gateway in front of a router and resolves with its origin. */
export async function startGateway(
  launch: Launch,
  frontend: string,
  args: readonly string[] = [],
  root = ROOT,
): Promise<string> {
  const all = ['gateway', '--router', frontend, '--port', '0', ...args];
  return originOf(await launch(command('gateway', all, root)));
}

/** Starts a worker. */
async function startWorker(
  launch: Launch,
  { backend, heartbeat }: RouterEndpoints,
  file: string,
  args: readonly string[] = [],
  root = ROOT,
): Promise<void> {
  const all = ['worker', path.join(root, file), '--router', backend, '--heartbeat', heartbeat, ...args];
  await launch(command('worker', all, root));
}

function originOf({ ready }: { ready: RegExpExecArray }): string {
  const [origin] = ready[1]?.match(/http:\/\/[^\s,;/]+/) ?? [];
  if (origin === undefined) throw new Error(`no address in the ready line: ${ready[0]}`);
  return origin;
}

/** Starts gateway and router in one process, with workers in threads, and resolves with the origin. */
export async function startUp(
  launch: Launch,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  root = ROOT,
): Promise<string> {
  const all = ['up', '--port', '0', ...FREE_PORTS, ...args];
  return originOf(await launch({ ...command('up', all, root), env }));
}

/**
 * Gateway and router in one process, with the sample workers in threads. `name` distinguishes
 * several contenders of this kind.
 */
export function embeddedAs(name: string, root = ROOT): Contender {
  return {
    name,
    does: `gateway and router in one process, workers in threads; ${DOES}`,
    missing: () => missingBuild(root),
    start: (launch) => startUp(launch, [], {}, root),
  };
}

export const embedded: Contender = embeddedAs('zeromq-gateway, embedded');

/** Gateway, router and workers in one thread. */
export const embeddedWithoutThreads: Contender = {
  name: 'zeromq-gateway, embedded, --threads 0',
  does: `gateway, router and workers in one thread; ${DOES}`,
  missing: () => missingBuild(),
  start: (launch) => startUp(launch, ['--threads', '0']),
};

/**
 * Gateway, router and worker as separate processes. `args` are additional arguments of the gateway,
 * `workerArgs` those of the worker.
 */
export function separateAs(
  name: string,
  args: readonly string[] = [],
  root = ROOT,
  workerArgs: readonly string[] = [],
): Contender {
  return {
    name,
    does: `gateway, router and worker processes; ${DOES}`,
    missing: () => missingBuild(root),
    async start(launch) {
      const endpoints = await startRouter(launch, root);
      await startWorker(launch, endpoints, ECHO_WORKER, workerArgs, root);
      return startGateway(launch, endpoints.frontend, args, root);
    },
  };
}

export const separate: Contender = separateAs('zeromq-gateway, separate');

/** The same; the worker has no thread of its own for its handlers, as those of the peers have none. */
export const separateWithoutThreads: Contender = separateAs(
  'zeromq-gateway, separate, --threads 0',
  [],
  ROOT,
  ['--threads', '0'],
);

/** Gateway and router in one process, the worker in another: `up` without workers of its own. */
export const gatewayWithRouter: Contender = {
  name: 'zeromq-gateway, gateway with router',
  does: `gateway and router in one process, a worker process; ${DOES}`,
  missing: () => missingBuild(),
  async start(launch) {
    const { ready } = await launch(
      command('gateway', ['up', '--workers', 'off', '--port', '0', ...FREE_PORTS]),
    );
    await startWorker(launch, endpointsIn(ready), ECHO_WORKER);
    return originOf({ ready });
  },
};

/** The contenders of a build of the project: of that in `root`, or else of this one. */
export function buildIn(root: string | undefined): { embedded: Contender; separate: Contender } {
  const name = root === undefined ? 'this build' : `the build in ${root}`;
  return { embedded: embeddedAs(name, root), separate: separateAs(name, [], root) };
}

/** The benchmark is one caller with many streams. */
const STREAM_LIMITS = ['--http', JSON.stringify({ limits: { streamsPerCaller: 10_000, upload: 0 } })];
const STREAM_CONCURRENCY = ['--concurrency', '10000'];

export const embeddedStreams: Contender = {
  name: 'zeromq-gateway, embedded',
  does: 'gateway and router in one process, the worker in a thread; flow control, limits, idle timeouts',
  missing: () => missingBuild(),
  start: (launch) =>
    startUp(launch, ['--workers', STREAMS, '--threads', '1', ...STREAM_LIMITS, ...STREAM_CONCURRENCY]),
};

export const separateStreams: Contender = {
  name: 'zeromq-gateway, separate',
  does: 'gateway, router and worker processes; flow control, limits, idle timeouts',
  missing: () => missingBuild(),
  async start(launch) {
    const endpoints = await startRouter(launch);
    await startWorker(launch, endpoints, 'bench/drivers/streams/worker.ts', STREAM_CONCURRENCY);
    return startGateway(launch, endpoints.frontend, STREAM_LIMITS);
  },
};
