/**
 * One hostile peer must not use a router up: its memory and descriptors stay bounded, and others are served, while the
 * peer sends garbage, opens connections, never reads, or announces and leaves in a loop.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Dealer } from 'zeromq';
import { curveKeyPair } from '../../src/index.ts';
import { endpointIn, FREE_PORTS, startNode } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import type { RunningProcess } from '../helpers/processes.ts';
import { connectedDealer, rawDealer } from '../helpers/raw.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient } from '../integration/framework.ts';

const MEGABYTE = 1024 * 1024;

/** What a router may take more than at its start, whatever comes, MiB: high-water marks and buffers of the peers here. */
const ALLOWED = 300;

/** Messages of a burst. */
const BURST = 20_000;

const scope = new Scope();
let node: RunningProcess;
let line: string;

before(async () => {
  ({ node, line } = await startNode(scope, ['router', ...FREE_PORTS, '--log-level', 'silent']));
});
after(() => scope.close());

function used({ pid } = node): { memory: number; descriptors: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const memory = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  return { memory, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** Somebody else is served: all that came before on the socket was dealt with. */
async function serves(t: { after(close: () => unknown): void }, name = 'frontend'): Promise<void> {
  if (name === 'frontend') {
    const client = await connectClient(scopeOf(t), endpointIn(line, 'frontend'));
    await client.sendMessage('$router.ping', null, { timeout: 20_000 });
    return;
  }
  const worker = await connectedDealer(scopeOf(t), endpointIn(line, name));
  await worker.send(['$', '', '$hello', JSON.stringify({ v: 1, pack: 1, concurrency: 1, events: ['x'] })]);
  worker.receiveTimeout = 20_000;
  await worker.receive();
}

async function staysBounded(attack: () => Promise<void>, router = node): Promise<void> {
  const start = used(router);
  await attack();
  const { memory } = used(router);
  assert.ok(memory - start.memory < ALLOWED, `memory grew from ${start.memory} to ${memory} MiB`);
}

/** The port of an endpoint of the router. */
function portOf(name: string): number {
  return Number(endpointIn(line, name).split(':').at(-1));
}

async function tcp(name: string): Promise<Socket> {
  const socket = connect(portOf(name), '127.0.0.1');
  socket.on('error', () => undefined); // cut by the router
  await once(socket, 'connect');
  return socket;
}

describe('memory stays bounded, and others are served', { skip: process.platform !== 'linux' }, () => {
  for (const name of ['frontend', 'backend', 'heartbeat']) {
    it(`while garbage comes at the ${name} as fast as it can`, async (t) => {
      await staysBounded(async () => {
        const peers = await Promise.all(
          Array.from({ length: 3 }, () => connectedDealer(scopeOf(t), endpointIn(line, name))),
        );
        const big = randomBytes(MEGABYTE);
        await Promise.all(
          peers.map(async (peer) => {
            for (let at = 0; at < BURST / 10; at += 1)
              await peer.send([randomBytes(at % 200), randomBytes(30), '']);
            for (let at = 0; at < 100; at += 1) await peer.send([big, '', big.subarray(at)]);
          }),
        );
        await serves(t, name === 'heartbeat' ? 'frontend' : name);
      });
    });
  }

  it('while bytes come that are no ZeroMQ', async (t) => {
    await staysBounded(async () => {
      for (let round = 0; round < 200; round += 1) {
        const socket = await tcp('frontend');
        socket.end(randomBytes(10_000));
        socket.resume();
      }
      await serves(t);
    });
  });

  it('while thousands of connections stand that never shake hands, and they leave no descriptor behind', async (t) => {
    const start = used().descriptors;
    const sockets: Socket[] = [];
    await staysBounded(async () => {
      for (let at = 0; at < 2000; at += 1) sockets.push(await tcp('frontend'));
      await serves(t);
    });
    for (const socket of sockets) socket.destroy();
    for (let left = Infinity; left > start + 50; left = used().descriptors) await serves(t);
  });

  it('while a client never reads its replies', async (t) => {
    const backend = endpointIn(line, 'backend');
    const worker = await connectedDealer(scopeOf(t), backend);
    const body = Buffer.from(`"${'x'.repeat(MEGABYTE)}"`);
    const serving = (async () => {
      for await (const frames of worker) {
        if (frames.length >= 4 && frames[2]?.toString() === 'big')
          await worker.send([frames[0] ?? '', '', 'big', body]);
      }
    })().catch(() => undefined);
    const client = await connectClient(scopeOf(t), endpointIn(line, 'frontend'), { timeout: 20_000 });
    await staysBounded(async () => {
      const deaf = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
      t.after(() => deaf.close());
      deaf.connect(endpointIn(line, 'frontend'));
      while (true) {
        await deaf.send(['', 'big', '1']);
        const answer = await client.sendMessage('big').then(
          () => true,
          (error: unknown) => String(error),
        );
        if (answer === true) break; // the worker is known by now
      }
      for (let at = 0; at < 800; at += 1) await deaf.send(['', 'big', '1']);
      // Behind all of them in the queue of the event, which is fair between clients: several times.
      for (let at = 0; at < 200; at += 1) await client.sendMessage('big');
      await serves(t);
    });
    worker.close();
    await serving;
  });

  it('while a worker announces contracts and leaves in a loop', async (t) => {
    await staysBounded(async () => {
      const description = 'x'.repeat(100_000);
      for (let at = 0; at < 300; at += 1) {
        const socket = rawDealer(scopeOf(t), endpointIn(line, 'backend'), `worker-${at}`);
        const fragment = {
          openapi: '3.1.0',
          info: { title: `n${at}`, version: '1', description },
          paths: {},
        };
        const hello = {
          v: 1,
          pack: 1,
          concurrency: 1,
          events: [`e${at}`],
          contract: { name: `n${at}`, fragment },
        };
        await socket.send(['$', '', '$hello', JSON.stringify(hello)]);
        await socket.receive(); // welcome or refused
        socket.close();
      }
      await serves(t, 'backend');
    });
  });

  it('while somebody with a key connects again and again under a routing id that is taken', async (t) => {
    const pair = curveKeyPair();
    const guarded = await startNode(scopeOf(t), ['router', ...FREE_PORTS, '--log-level', 'silent'], {
      env: { ZMQ_GATEWAY_CURVE_SECRET_KEY: pair.secretKey },
    });
    const frontend = endpointIn(guarded.line, 'frontend');
    const own = curveKeyPair();
    const connected = async (): Promise<Dealer> => {
      const socket = new Dealer({ linger: 0, routingId: 'the same' });
      t.after(() => socket.close());
      socket.curveServerKey = pair.publicKey;
      socket.curvePublicKey = own.publicKey;
      socket.curveSecretKey = own.secretKey;
      const shook = within(new Promise((resolve) => socket.events.on('handshake', resolve)), 'a handshake');
      socket.connect(frontend);
      await shook;
      return socket;
    };
    const round = async (): Promise<void> => {
      for (let at = 0; at < 200; at += 1) {
        const socket = await connected();
        if (at % 2 === 0) socket.close();
      }
    };
    await staysBounded(async () => {
      await round();
      const curve = { serverKey: pair.publicKey };
      const client = await connectClient(scopeOf(t), frontend, { curve });
      await client.sendMessage('$router.ping');
    }, guarded.node);
  });
});
