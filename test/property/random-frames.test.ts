/**
 * Random frames at every socket that accepts messages of others: nothing crashes, no request of
 * another peer is affected, and the sender is served once it sends a valid request.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import {
  ZeroMQClient,
  ZeroMQHeartbeatConfig,
  ZeroMQRouter,
  ZeroMQServer,
  ZeroMQWorker,
} from '../../src/index.ts';
import { PACKED_MAGIC } from '../../src/wire/packed-records.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import fc, { runs } from '../helpers/property.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Frame, rawDealer, rawRouter } from '../helpers/raw.ts';
import { Scope } from '../helpers/scope.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const handlers = { echo: (data: unknown) => data };
const RUNS = { numRuns: runs(100), interruptAfterTimeLimit: 15_000 };

/** Random bytes that often start like a valid frame. */
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.constantFrom('', '$', 'echo', 'heartbeat', '$hello', '$welcome', '$refused', '$bye', '$who', 'T'),
  fc.constantFrom(
    '{}',
    'null',
    '{"v":1}',
    '{"v":1,"ttl":-1}',
    '{"status":"x"}',
    '{"node_id":"x"}',
    '{"broken',
  ),
  fc.json().filter((json) => !json.includes('concurrency')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([PACKED_MAGIC, bytes])),
  fc.tuple(fc.nat(20), fc.nat(0xffff)).map(([id, generation]) => encodeToken(id, generation)),
  fc.string({ unit: 'binary', maxLength: 2000 }),
);
const messages = fc.array(fc.array(frame, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 20 });

let count = 0;

/** Returns data that no other request in this file has. */
function uniqueData(): string {
  count += 1;
  return JSON.stringify(`data ${count}`);
}

/** Sends a valid request and reads until its reply arrives, skipping other messages. */
async function expectReply(socket: Dealer): Promise<void> {
  const body = uniqueData();
  await socket.send(['', 'echo', body]);
  for (;;) {
    const frames = await socket.receive();
    if (String(frames[2]) === body) return;
  }
}

/** Sends several requests of another client and checks that each receives its own reply. */
async function expectReplies(client: ZeroMQClient): Promise<void> {
  const sent = Array.from({ length: 5 }, uniqueData);
  const replies = await Promise.all(sent.map((data) => client.sendMessage('echo', data)));
  assert.deepEqual(
    replies.map((reply) => reply.eventData),
    sent,
  );
}

async function sendAll(socket: Dealer, randomMessages: readonly Frame[][]): Promise<void> {
  for (const frames of randomMessages) await socket.send(frames);
}

async function connected(scope: Scope, connection: string): Promise<ZeroMQClient> {
  const client = new ZeroMQClient({ connection });
  scope.after(() => client.close());
  await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  return client;
}

/** Runs a function with a raw socket, which it closes afterwards. */
async function withSocket(
  endpoint: string,
  run: (socket: Dealer, scope: Scope) => Promise<void>,
): Promise<void> {
  const scope = new Scope();
  try {
    await run(rawDealer(scope, endpoint), scope);
  } finally {
    await scope.close();
  }
}

describe('random frames at a router', () => {
  const scope = new Scope();
  let router: ZeroMQRouter;
  let bound: Awaited<ReturnType<ZeroMQRouter['start']>>;
  let client: ZeroMQClient;

  before(async () => {
    router = new ZeroMQRouter({
      frontendConnection: ANY,
      backendConnection: ANY,
      heartbeatConfig: new ZeroMQHeartbeatConfig(ANY),
    });
    scope.after(() => router.stop({ deadline: 100 }));
    bound = await router.start();
    const worker = new ZeroMQWorker({ connection: bound.backend, handlers });
    scope.after(() => worker.stop({ deadline: 100 }));
    await untilJoined(() => worker.start());
    client = await connected(scope, bound.frontend);
  });
  after(() => scope.close());

  it('router: survives random frames from a client', async () => {
    const property = fc.asyncProperty(messages, (randomMessages) =>
      withSocket(bound.frontend, async (socket) => {
        await sendAll(socket, randomMessages);
        await Promise.all([expectReply(socket), expectReplies(client)]);
      }),
    );
    await fc.assert(property, RUNS);
  });

  it('router: survives random frames from a worker', async () => {
    const property = fc.asyncProperty(messages, (randomMessages) =>
      withSocket(bound.backend, async (socket) => {
        await Promise.all([sendAll(socket, randomMessages), expectReplies(client)]);
        // The reply to $bye proves that everything before it was read.
        await socket.send(['$', '', '$bye', '{}']);
        for (let name = ''; name !== '$bye'; name = String((await socket.receive())[2]));
        await expectReplies(client);
      }),
    );
    await fc.assert(property, RUNS);
    assert.equal(router.stats().dispatched, 0, 'no request is left at a worker');
    assert.equal(router.stats().queued, 0, 'no request is left in a queue');
  });

  it('router: survives random frames from a worker that does not pack', async () => {
    const hello = JSON.stringify({ v: 1, pack: 0, concurrency: 2, events: ['unpacked'] });
    const property = fc.asyncProperty(messages, (randomMessages) =>
      withSocket(bound.backend, async (socket) => {
        await socket.send(['$', '', '$hello', hello]);
        for (let name = ''; name !== '$welcome'; name = String((await socket.receive())[2]));
        const pending = client
          .sendMessage('unpacked', {}, { timeout: PATIENCE })
          .catch((error: unknown) => error);
        await Promise.all([sendAll(socket, randomMessages), expectReplies(client)]);
        await socket.send(['$', '', '$gone', '{}']);
        await socket.send(['$', '', '$bye', '{}']);
        for (let name = ''; name !== '$bye'; name = String((await socket.receive())[2]));
        await pending;
        await expectReplies(client);
      }),
    );
    await fc.assert(property, RUNS);
    assert.equal(router.stats().dispatched, 0, 'no request is left at a worker');
    assert.equal(router.stats().queued, 0, 'no request is left in a queue');
  });

  it('router: survives random frames at the heartbeat port', async () => {
    const property = fc.asyncProperty(messages, (randomMessages) =>
      withSocket(bound.heartbeat ?? '', async (socket) => {
        await Promise.all([sendAll(socket, randomMessages), expectReplies(client)]);
      }),
    );
    await fc.assert(property, RUNS);
  });
});

describe('random frames at a server', () => {
  it('server: survives random frames from a client', async () => {
    const scope = new Scope();
    try {
      const server = new ZeroMQServer({ connection: ANY, handlers });
      scope.after(() => server.stop({ deadline: 100 }));
      const { endpoint } = await server.start();
      const client = await connected(scope, endpoint);
      const property = fc.asyncProperty(messages, (randomMessages) =>
        withSocket(endpoint, async (socket) => {
          await sendAll(socket, randomMessages);
          await Promise.all([expectReply(socket), expectReplies(client)]);
        }),
      );
      await fc.assert(property, RUNS);
    } finally {
      await scope.close();
    }
  });
});

describe('random frames at a worker', () => {
  it('worker: survives random frames from a router', async () => {
    const scope = new Scope();
    try {
      const { socket, endpoint } = await rawRouter(scope);
      const worker = new ZeroMQWorker({ connection: endpoint, handlers });
      scope.after(() => worker.stop({ deadline: 100 }));
      await worker.start();
      const [identity = ''] = await socket.receive();
      const property = fc.asyncProperty(messages, async (randomMessages) => {
        for (const frames of randomMessages) await socket.send([identity, ...frames]);
        const body = uniqueData();
        await socket.send([identity, 'caller', '', 'echo', body]);
        for (let reply = ''; reply !== body; reply = String((await socket.receive())[4]));
      });
      await fc.assert(property, RUNS);
    } finally {
      await scope.close();
    }
  });
});
