// test:all: 20 s; ../property/random-frames.test.ts represents it
/**
 * A hostile peer cannot exhaust a router. Memory and descriptors stay bounded and other peers are
 * served while the peer sends garbage, opens connections, never reads, or announces and leaves in a
 * loop.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Dealer } from 'zeromq';
import { curveKeyPair } from '../../src/index.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { endpointIn, FREE_PORTS, startNode } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import { PATIENCE } from '../helpers/patience.ts';
import type { RunningProcess } from '../helpers/processes.ts';
import { connectedDealer, rawDealer } from '../helpers/raw.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient } from '../integration/framework.ts';
import { makeRequest } from '../unit/wire/messages.ts';

const MEGABYTE = 1024 * 1024;

/**
 * Memory in MiB that the router may use beyond that at its start: high-water marks and buffers of
 * the peers of this test.
 */
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

function usageOf({ pid } = node): { memory: number; descriptors: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const memory = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  return { memory, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** Waits until another peer is served, after everything that arrived on the socket before. */
async function waitUntilServed(t: { after(close: () => unknown): void }, name = 'frontend'): Promise<void> {
  if (name === 'frontend') {
    const client = await connectClient(scopeOf(t), endpointIn(line, 'frontend'));
    await client.sendMessage('$router.ping', null, { timeout: PATIENCE });
    return;
  }
  const worker = await connectedDealer(scopeOf(t), endpointIn(line, name));
  await worker.send(['$', '', '$hello', JSON.stringify({ v: 1, pack: 1, concurrency: 1, events: ['x'] })]);
  worker.receiveTimeout = 20_000;
  await worker.receive();
}

async function assertBounded(attack: () => Promise<void>, router = node): Promise<void> {
  const start = usageOf(router);
  await attack();
  const { memory } = usageOf(router);
  assert.ok(memory - start.memory < ALLOWED, `memory grew from ${start.memory} to ${memory} MiB`);
}

/** Returns the port of an endpoint of the router. */
function portOf(name: string): number {
  return Number(endpointIn(line, name).split(':').at(-1));
}

async function tcp(name: string): Promise<Socket> {
  const socket = connect(portOf(name), '127.0.0.1');
  socket.on('error', () => undefined); // The router closes the connection.
  await once(socket, 'connect');
  return socket;
}

describe('router under attack: memory stays bounded and other peers are served', {
  skip: process.platform !== 'linux',
}, () => {
  for (const name of ['frontend', 'backend', 'heartbeat']) {
    it(`router: memory stays bounded while peers send garbage to the ${name}`, async (t) => {
      await assertBounded(async () => {
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
        await waitUntilServed(t, name === 'heartbeat' ? 'frontend' : name);
      });
    });
  }

  it('router: memory stays bounded while peers send bytes that are not ZMTP', async (t) => {
    await assertBounded(async () => {
      for (let round = 0; round < 200; round += 1) {
        const socket = await tcp('frontend');
        socket.end(randomBytes(10_000));
        socket.resume();
      }
      await waitUntilServed(t);
    });
  });

  it('router: thousands of connections without a handshake leave no descriptor open', async (t) => {
    const start = usageOf().descriptors;
    const sockets: Socket[] = [];
    await assertBounded(async () => {
      for (let at = 0; at < 2000; at += 1) sockets.push(await tcp('frontend'));
      await waitUntilServed(t);
    });
    for (const socket of sockets) socket.destroy();
    for (let left = Infinity; left > start + 50; left = usageOf().descriptors) await waitUntilServed(t);
  });

  it('router: memory stays bounded while a client never reads its replies', async (t) => {
    const backend = endpointIn(line, 'backend');
    const worker = await connectedDealer(scopeOf(t), backend);
    const body = Buffer.from(`"${'x'.repeat(MEGABYTE)}"`);
    const serving = (async () => {
      for await (const frames of worker) {
        if (frames.length >= 4 && frames[2]?.toString() === 'big')
          await worker.send([frames[0] ?? '', '', 'big', body]);
      }
    })().catch(() => undefined);
    const client = await connectClient(scopeOf(t), endpointIn(line, 'frontend'), { timeout: PATIENCE });
    await assertBounded(async () => {
      const slowPeer = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
      t.after(() => slowPeer.close());
      slowPeer.connect(endpointIn(line, 'frontend'));
      while (true) {
        await slowPeer.send(['', 'big', '1']);
        const answer = await client.sendMessage('big').then(
          () => true,
          (error: unknown) => String(error),
        );
        if (answer === true) break; // The router has accepted the worker.
      }
      for (let at = 0; at < 800; at += 1) await slowPeer.send(['', 'big', '1']);
      // The queue of the event is fair between clients, so these requests take turns with those
      // above.
      for (let at = 0; at < 200; at += 1) await client.sendMessage('big');
      await waitUntilServed(t);
    });
    worker.close();
    await serving;
  });

  it('router: memory stays bounded while a worker calls in a loop and never reads', async (t) => {
    const worker = await connectedDealer(scopeOf(t), endpointIn(line, 'backend'));
    const hello = { v: 1, pack: 1, concurrency: 1, events: ['loop'], calls: 1 };
    await worker.send(['$', '', '$hello', JSON.stringify(hello)]);
    assert.equal(String((await worker.receive())[2]), '$welcome');
    const body = Buffer.from(`"${'x'.repeat(1000)}"`);
    await assertBounded(async () => {
      for (let batches = 0; batches < 300; batches += 1) {
        const batch = new PackedBatch();
        for (let at = 0; at < 200; at += 1) {
          const parent = { id: at, generation: at, depth: 1 + (at % 20) };
          batch.addCall(batches * 200 + at, 1, makeRequest({ eventName: 'loop', body }), parent);
        }
        await worker.send(batch.take());
      }
      await waitUntilServed(t, 'backend');
      await waitUntilServed(t);
    });
  });

  it('router: memory stays bounded while workers announce contracts and leave in a loop', async (t) => {
    await assertBounded(async () => {
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
        await socket.receive(); // $welcome or $refused
        socket.close();
      }
      await waitUntilServed(t, 'backend');
    });
  });

  it('router: memory stays bounded while a client with a key reconnects under a routing id in use', async (t) => {
    const pair = curveKeyPair();
    const guarded = await startNode(scopeOf(t), ['router', ...FREE_PORTS, '--log-level', 'silent'], {
      env: { ZMQ_GATEWAY_CURVE_SECRET_KEY: pair.secretKey },
    });
    const frontend = endpointIn(guarded.line, 'frontend');
    const own = curveKeyPair();
    const connectedPeer = async (): Promise<Dealer> => {
      const socket = new Dealer({ linger: 0, routingId: 'the same' });
      t.after(() => socket.close());
      socket.curveServerKey = pair.publicKey;
      socket.curvePublicKey = own.publicKey;
      socket.curveSecretKey = own.secretKey;
      const handshake = within(
        new Promise((resolve) => socket.events.on('handshake', resolve)),
        'a handshake',
      );
      socket.connect(frontend);
      await handshake;
      return socket;
    };
    const round = async (): Promise<void> => {
      for (let at = 0; at < 200; at += 1) {
        const socket = await connectedPeer();
        if (at % 2 === 0) socket.close();
      }
    };
    await assertBounded(async () => {
      await round();
      const curve = { serverKey: pair.publicKey };
      const client = await connectClient(scopeOf(t), frontend, { curve });
      await client.sendMessage('$router.ping');
    }, guarded.node);
  });
});
