/** Contenders that store requests durably. */
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../scripts/lib/ports.ts';
import type { Contender } from './contender.ts';
import { hasCommand } from './load.ts';
import { missingPeers, node, text } from './peers.ts';
import { storeWith } from './store-rows.ts';
import { tempFolder } from './temp.ts';
import { missingBuild, startUp } from './zeromq-gateway.ts';

const REDIS = 'redis-server';
const WORKERS = fileURLToPath(new URL('../drivers/durable', import.meta.url));
const SERVE = ['--workers', WORKERS, '--threads', '1'];

/** A gateway with a store in a SQLite file; `fileOf` makes the file when the contender starts. */
function withStore(name: string, does: string, fileOf: () => string): Contender {
  return {
    name,
    does,
    missing: missingBuild,
    start: (launch) => startUp(launch, [...SERVE, '--store', `sqlite:${fileOf()}`]),
  };
}

/** A gateway with an empty store. */
export const stored: Contender = withStore(
  'zeromq-gateway, SQLite',
  'gateway and router in one process, worker in a thread; stores each request before it runs and each reply before it is sent, flushed to disk; validation, deadlines, limits per caller',
  () => `${tempFolder()}/requests.db`,
);

/** The same service without a store, and without operations that need one. */
export const notStored: Contender = {
  name: 'zeromq-gateway, no store',
  does: 'the same without a store and without operations that use one',
  missing: missingBuild,
  start: (launch) => startUp(launch, [...SERVE, '--store', 'off'], { BENCH_PLAIN: '1' }),
};

/** A gateway whose store has this many ended requests. */
export function storedRows(rows: number): Contender {
  const count = rows.toLocaleString('en-US');
  return withStore(`${count} rows`, `a store with ${count} ended requests`, () => storeWith(rows));
}

/** Jobs in BullMQ: an Express server that adds them, and a worker process that runs them. */
export const bullmq: Contender = {
  name: 'Express + BullMQ, Redis',
  does: 'Express server, worker process with concurrency 64, Redis with appendfsync always; no validation, no limits per caller, no result for the HTTP client',
  missing: () => missingPeers() ?? (hasCommand(REDIS) ? undefined : `${REDIS} is not installed`),
  async start(launch) {
    const [port] = await freePorts(1);
    const flushed = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', tempFolder(), ...flushed];
    await launch({ name: 'redis', command: REDIS, args, ready: /Ready to accept connections/ });
    const env = { PEER_REDIS: String(port) };
    await launch(node('worker', 'bullmq/worker.mjs', env));
    return text(await launch(node('server', 'bullmq/server.mjs', env)));
  },
};
