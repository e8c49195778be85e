/**
 * The other products in the comparison, each configured as its documentation recommends, in
 * production mode.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../scripts/lib/ports.ts';
import type { Contender, Launch } from './contender.ts';
import { startDriver } from './driver.ts';
import { hasCommand } from './load.ts';
import { PYTHON } from './machine.ts';
import type { ProcessSpec, RunningProcess } from './process.ts';

const PEERS = new URL('../peers/', import.meta.url);
const NATS = 'nats-server';

/** Whether the dependencies of the peers are installed (`npm ci` in bench/peers). */
function peersInstalled(): boolean {
  return existsSync(new URL('node_modules/fastify/package.json', PEERS));
}

/** Returns how to start a program of the peers. Its ready line may have an origin. */
export function node(name: string, file: string, env: Record<string, string> = {}): ProcessSpec {
  const args = [fileURLToPath(new URL(file, PEERS))];
  return { name, command: process.execPath, args, env, ready: /^ready ?(.*)$/ };
}

/** The rest of the ready line of a process. */
export function text(running: RunningProcess): string {
  return running.ready[1] ?? '';
}

/**
 * A single process that replies by itself. Express and zeromq are also dependencies of this
 * project.
 */
function alone(name: string, file: string, does: string, own = true): Contender {
  return {
    name,
    does,
    missing: own ? missingPeers : undefined,
    start: async (launch) => text(await launch(node('server', file))),
  };
}

/** Why the peers with packages of their own cannot run; undefined if they can. */
export function missingPeers(): string | undefined {
  return peersInstalled() ? undefined : 'bench/peers is not installed';
}

function missingNats(): string | undefined {
  return missingPeers() ?? (hasCommand(NATS) ? undefined : `${NATS} is not installed`);
}

async function startNats(launch: Launch): Promise<string> {
  const [port] = await freePorts(1);
  const args = ['-a', '127.0.0.1', '-p', String(port)];
  await launch({ name: 'nats', command: NATS, args, ready: /Server is ready/ });
  return `nats://127.0.0.1:${port}`;
}

async function gatewayAndWorker(
  launch: Launch,
  folder: string,
  env: Record<string, string>,
): Promise<string> {
  await launch(node('worker', `${folder}/worker.mjs`, env));
  return text(await launch(node('gateway', `${folder}/gateway.mjs`, env)));
}

export const bareHttp: Contender = alone('node:http', 'bare-http.mjs', 'no framework', false);

export const expressDefault = alone(
  'Express',
  'express-default.mjs',
  'default settings; no backend: no router, no worker, no deadline, no validation',
  false,
);

export const expressTuned = alone(
  'Express, tuned',
  'express-tuned.mjs',
  'ETag and X-Powered-By off, simple query parser, own header writing; no backend: no deadline, no validation',
  false,
);

export const expressTunedAsOurs = alone(
  'Express, same tuning',
  'express-born.mjs',
  'as above, with requests created with the prototypes of the app and a radix tree; no backend: no deadline, no validation',
  false,
);

export const expressStreams = alone(
  'Express',
  'express-streams.mjs',
  'default settings; streams by itself: no router, no worker, no deadline',
  false,
);

export const moleculerStreams: Contender = {
  name: 'moleculer-web, TCP',
  does: 'gateway and worker processes, brokerless; the action returns a stream; no deadlines, no limits',
  missing: missingPeers,
  start: (launch) => moleculerOverTcp(launch, 'moleculer-streams'),
};

/** What libzmq and Node.js alone can do over the same number of hops. */
export const bareStreams: Contender = {
  name: 'bare sockets, Proxy',
  does: "node:http writes what arrives from a Push socket through libzmq's proxy, in three processes; no requests, no windows, no limits",
  async start(launch) {
    const { frontend, backend } = await startProxy(launch, 'proxy', 'zeromq/stream-proxy.mjs');
    await launch(node('worker', 'zeromq/stream-worker.mjs', { PEER_FRONTEND: frontend }));
    return text(await launch(node('gateway', 'zeromq/stream-gateway.mjs', { PEER_BACKEND: backend })));
  },
};

async function moleculerOverTcp(launch: Launch, folder: string): Promise<string> {
  const [worker, gateway] = await freePorts(2);
  const PEER_NODES = `127.0.0.1:${worker}/worker,127.0.0.1:${gateway}/gateway`;
  return gatewayAndWorker(launch, folder, { PEER_TRANSPORTER: 'tcp', PEER_NODES });
}

/** All peers that serve HTTP, starting with default Express. */
export const httpPeers: readonly Contender[] = [
  expressDefault,
  expressTuned,
  expressTunedAsOurs,
  alone(
    'Fastify',
    'fastify.mjs',
    'response and body schemas, logger off; no backend: no deadline; validates POST bodies with ajv',
  ),
  {
    name: 'moleculer-web, TCP',
    does: 'gateway and worker processes, brokerless; no deadlines, no limits; validates POST bodies with fastest-validator',
    missing: missingPeers,
    start: (launch) => moleculerOverTcp(launch, 'moleculer'),
  },
  {
    name: 'moleculer-web, NATS',
    does: 'gateway, nats-server and worker processes; no deadline; validates POST bodies with fastest-validator',
    missing: missingNats,
    async start(launch) {
      return gatewayAndWorker(launch, 'moleculer', { PEER_TRANSPORTER: await startNats(launch) });
    },
  },
  {
    name: 'Nest, NATS',
    does: 'on Express; gateway, nats-server and worker processes; no deadline; validates POST bodies with class-validator',
    missing: missingNats,
    async start(launch) {
      return gatewayAndWorker(launch, 'nest', { PEER_NATS: await startNats(launch) });
    },
  },
  {
    name: 'Express + Request pool + Proxy',
    does: 'default Express with 64 zeromq.js Request sockets, Proxy and worker processes; no deadlines, no limits, no validation',
    async start(launch) {
      const { frontend, backend } = await startProxy(launch, 'proxy');
      await launch(node('worker', 'zeromq/worker.mjs', { PEER_BACKEND: backend }));
      return text(await launch(node('gateway', 'zeromq/gateway.mjs', { PEER_FRONTEND: frontend })));
    },
  },
];

/** Endpoints of a router. */
export interface RouterEndpoints {
  readonly frontend: string;
  readonly backend: string;
}

/** Starts libzmq's proxy in a process of its own. */
export async function startProxy(
  launch: Launch,
  name: string,
  file = 'zeromq/proxy.mjs',
): Promise<RouterEndpoints> {
  return JSON.parse(text(await launch(node(name, file)))) as RouterEndpoints;
}

/** Starts a router of ten lines of JavaScript, which forwards one message at a time. */
export async function startNaiveRouter(launch: Launch): Promise<RouterEndpoints> {
  return JSON.parse(text(await startDriver(launch, 'router', 'naive-router.ts'))) as RouterEndpoints;
}

/** Whether the classic peers in Python can run on this machine. */
export function missingPython(): string | undefined {
  if (!existsSync(PYTHON)) return `${PYTHON} is not there`;
  return spawnSync(PYTHON, ['-c', 'import zmq']).status === 0 ? undefined : 'python3-zmq is not installed';
}

/** Path of a classic peer in Python: `client`, `router` or `worker`. */
export function pythonFile(name: string): string {
  return fileURLToPath(new URL(`python/${name}.py`, PEERS));
}

/** Starts a classic router and worker in Python and resolves with the frontend. */
export async function startPython(launch: Launch): Promise<string> {
  const ready = /^ready ?(.*)$/;
  const router = await launch({ name: 'router', command: PYTHON, args: [pythonFile('router')], ready });
  const { frontend, backend } = JSON.parse(text(router)) as RouterEndpoints;
  const env = { PEER_BACKEND: backend };
  await launch({ name: 'worker', command: PYTHON, args: [pythonFile('worker')], env, ready });
  return frontend;
}
