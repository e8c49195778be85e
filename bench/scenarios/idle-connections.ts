/** Memory of a gateway with many keep-alive connections that carry no requests. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningContender, withContenders } from '../lib/contender.ts';
import { bareHttp } from '../lib/peers.ts';
import { usageOf } from '../lib/proc-fs.ts';
import type { Context, Report, Scenario } from '../lib/scenario.ts';
import { median } from '../lib/stats.ts';
import { embedded } from '../lib/zeromq-gateway.ts';

const CONNECTIONS = 10_000;
/** Connections for each second of effort, which keeps short runs short. */
const PER_SECOND = 2500;
const AT_ONCE = 50;
/** Time until memory that is not needed has gone, in ms. */
const SETTLE = 1500;

/** Opens a connection and makes one request. */
async function openConnection(origin: string): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write('GET /echo/hello HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  return socket;
}

async function openConnections(origin: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const group = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () =>
      openConnection(origin),
    );
    sockets.push(...(await Promise.all(group)));
  }
  return sockets;
}

/** Bytes of memory per connection. */
async function memoryOf({ at, processes }: RunningContender, count: number): Promise<number> {
  const memory = (): number => processes.reduce((sum, { pid }) => sum + usageOf(pid).rss, 0);
  const before = memory();
  const sockets = await openConnections(at, count);
  await sleep(SETTLE);
  const bytes = (memory() - before) / count;
  for (const socket of sockets) socket.destroy();
  await sleep(SETTLE);
  return bytes;
}

/** Measures fresh processes in each round, because processes keep memory of closed connections. */
async function measure({ effort, log }: Context): Promise<Map<string, number[]>> {
  // Some rounds suffice: the memory varies little.
  const rounds = Math.min(3, effort.rounds);
  const count = Math.min(CONNECTIONS, effort.seconds * PER_SECOND);
  const found = new Map<string, number[]>([embedded, bareHttp].map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    await withContenders([embedded, bareHttp], async (running) => {
      for (const each of running) {
        await memoryOf(each, count / 5);
        const bytes = await memoryOf(each, count);
        log(`${each.contender.name}: ${(bytes / 1000).toFixed(1)} kB a connection`);
        found.get(each.contender.name)?.push(bytes);
      }
    });
  }
  return found;
}

async function run(context: Context): Promise<Report> {
  const missing = embedded.missing?.();
  const found = missing === undefined ? await measure(context) : new Map<string, number[]>();
  const bare = found.get(bareHttp.name) ?? [];
  const rounds = (found.get(embedded.name) ?? []).map((bytes, round) => bytes / (bare[round] ?? NaN));
  return {
    name: idleConnections.name,
    title: idleConnections.title,
    about: `${CONNECTIONS.toLocaleString('en-US')} keep-alive connections after one request each, on processes that had a fifth as many before.`,
    columns: [{ key: 'bytes', title: 'kB a connection', digits: 1 }],
    rows: [...found].map(([label, bytes]) => ({
      label,
      values: { bytes: median(bytes) / 1000 },
      highlighted: label === embedded.name,
    })),
    targets:
      rounds.length === 0
        ? []
        : [
            {
              key: 'idle-connections',
              what: 'Memory of an idle connection, 10,000 connections',
              against: bareHttp.name,
              bound: 'at most',
              want: 1.5,
              value: median(rounds),
              rounds,
              unit: '×',
            },
          ],
    drawn: 'bytes',
    skipped: missing === undefined ? [] : [missing],
  };
}

/** 10,000 idle keep-alive connections. */
export const idleConnections: Scenario = {
  name: 'idle-connections',
  title: '10,000 idle connections',
  run,
};
