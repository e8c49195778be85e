/**
 * Invalid messages from a client to a router or a server. They are answered, or dropped and
 * counted, and never fatal.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import { ZeroMQClient, ZeroMQRouter, ZeroMQServer, ZeroMQWorker } from '../../src/index.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { isCut, rawDealer } from '../helpers/raw.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { BAD_REQUESTS } from './bad-input-cases.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const handlers = { echo: (data: unknown) => data };
type Limits = { maxMessageSize?: number };

/** Starts a router with a worker and returns the endpoint for clients. */
async function startRouter(scope: Scope, limits: Limits = {}): Promise<string> {
  const router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY, ...limits });
  scope.after(() => router.stop({ deadline: 100 }));
  const { frontend, backend } = await router.start();
  const worker = new ZeroMQWorker({ connection: backend, handlers });
  scope.after(() => worker.stop({ deadline: 100 }));
  await untilJoined(() => worker.start());
  return frontend;
}

async function startServer(scope: Scope, limits: Limits = {}): Promise<string> {
  const server = new ZeroMQServer({ connection: ANY, handlers, ...limits });
  scope.after(() => server.stop({ deadline: 100 }));
  return (await server.start()).endpoint;
}

/** Returns the data of the next reply on a bare socket. */
async function answer(socket: Dealer): Promise<unknown> {
  const [delimiter, , body] = await socket.receive();
  assert.equal(delimiter?.length, 0, 'the reply starts with the delimiter');
  return JSON.parse(String(body));
}

/** Asserts that the bare socket that sent invalid messages is still served. */
async function stillServed(socket: Dealer): Promise<void> {
  await socket.send(['', 'echo', '{"good":1}']);
  assert.deepEqual(await answer(socket), { good: 1 });
}

for (const [target, start] of [
  ['a router', startRouter],
  ['a server', startServer],
] as const) {
  describe(target, () => {
    const scope = new Scope();
    let endpoint: string;
    let client: ZeroMQClient;
    let drops: Drops;

    before(async () => {
      drops = new Drops(scope);
      endpoint = await start(scope);
      client = new ZeroMQClient({ ...PATIENT, connection: endpoint });
      scope.after(() => client.close());
      await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    });
    after(() => scope.close());

    for (const { what, frames, answer: expected, cause } of BAD_REQUESTS) {
      it(`${target}: ${expected ? 'replies to' : 'drops'} ${what}`, async (t) => {
        const socket = rawDealer(scopeOf(t), endpoint);
        const counted = cause && drops.count(cause);
        await socket.send(frames);
        if (expected === 'ok') assert.deepEqual(await answer(socket), JSON.parse(String(frames[2])));
        else if (expected) {
          const { error } = (await answer(socket)) as { error: { code: string } };
          assert.equal(error.code, expected);
        }
        if (cause) await drops.waitFor(cause, (counted ?? 0) + 1);
        await stillServed(socket);
        assert.equal((await client.sendMessage('echo', 'good')).eventData, 'good');
      });
    }

    it(`${target}: disconnects a client that sends 64 MiB, and serves it after it reconnects`, async (t) => {
      const socket = rawDealer(scopeOf(t), endpoint);
      const cut = isCut(socket);
      await stillServed(socket);
      await socket.send(['', 'echo', Buffer.alloc(64 * 1024 * 1024, 0x20)]);
      await cut;
      await stillServed(socket);
      assert.equal((await client.sendMessage('echo', 'good')).eventData, 'good');
    });

    it(`${target}: accepts a message just below the size limit and none above it`, async (t) => {
      const scope = scopeOf(t);
      const socket = rawDealer(scope, await start(scope, { maxMessageSize: 100_000 }));
      const cut = isCut(socket);
      const below = JSON.stringify('x'.repeat(99_000));
      await socket.send(['', 'echo', below]);
      assert.equal(JSON.stringify(await answer(socket)), below);
      await socket.send(['', 'echo', JSON.stringify('x'.repeat(101_000))]);
      await cut;
      await stillServed(socket);
    });

    it(`${target}: a second client with the identity of the first does not disturb it`, async (t) => {
      const scope = scopeOf(t);
      const first = rawDealer(scope, endpoint, 'the-same');
      await stillServed(first);
      const second = rawDealer(scope, endpoint, 'the-same');
      await second.send(['', 'echo', '"stolen"']);
      await stillServed(first);
    });
  });
}
