/** The contenders of this project: the built product, started through its command line. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contender, Launch } from './contender.ts';
import type { ProcessSpec } from './process.ts';

const ROOT = new URL('../../', import.meta.url);
const MAIN = fileURLToPath(new URL('dist/cli/main.js', ROOT));
const ECHO_WORKER = fileURLToPath(new URL('workers/echo.ts', ROOT));

const DOES =
  'deadline of 5 s, bounded queues, heartbeats, validation against the contract, problem details, metadata on the wire';

/** Returns why these contenders cannot run, or undefined if they can. */
export function missingBuild(): string | undefined {
  return existsSync(MAIN) ? undefined : 'dist/ is not built';
}

/** Returns a command with its name in the reports. `ready[1]` is the rest of its ready line. */
function command(name: string, args: readonly string[]): ProcessSpec {
  const settings = ['--log-level', 'warn'];
  return { name, command: process.execPath, args: [MAIN, ...args, ...settings], ready: /is ready: (.*)$/ };
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
export async function startRouter(launch: Launch): Promise<RouterEndpoints> {
  const { ready } = await launch(command('router', ['router', ...FREE_PORTS]));
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
): Promise<string> {
  return originOf(
    await launch(command('gateway', ['gateway', '--router', frontend, '--port', '0', ...args])),
  );
}

/** Starts the echo sample worker. */
async function startEcho(launch: Launch, { backend, heartbeat }: RouterEndpoints): Promise<void> {
  await launch(command('worker', ['worker', ECHO_WORKER, '--router', backend, '--heartbeat', heartbeat]));
}

function originOf({ ready }: { ready: RegExpExecArray }): string {
  const [origin] = ready[1]?.match(/http:\/\/[^\s,;/]+/) ?? [];
  if (origin === undefined) throw new Error(`no address in the ready line: ${ready[0]}`);
  return origin;
}

/**
 * Gateway and router in one process, with the sample workers in threads. `name` distinguishes
 * several contenders of this kind.
 */
export function embeddedAs(name: string): Contender {
  return {
    name,
    does: `gateway and router in one process, workers in threads; ${DOES}`,
    missing: missingBuild,
    start: async (launch) => originOf(await launch(command('up', ['up', '--port', '0', ...FREE_PORTS]))),
  };
}

export const embedded: Contender = embeddedAs('zeromq-gateway, embedded');

/**
 * Gateway, router and worker as separate processes. `args` are additional arguments of the gateway.
 */
export function separateAs(name: string, args: readonly string[] = []): Contender {
  return {
    name,
    does: `gateway, router and worker processes; ${DOES}`,
    missing: missingBuild,
    async start(launch) {
      const endpoints = await startRouter(launch);
      await startEcho(launch, endpoints);
      return startGateway(launch, endpoints.frontend, args);
    },
  };
}

export const separate: Contender = separateAs('zeromq-gateway, separate');
