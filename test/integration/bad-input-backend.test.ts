/**
 * Invalid messages from a worker to a router. They are dropped and counted, and affect only their
 * sender.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import { type DropCause, diagnostics } from '../../src/core/observability/diagnostics.ts';
import { ZeroMQClient, ZeroMQRouter, ZeroMQWorker } from '../../src/index.ts';
import { isPacked } from '../../src/wire/packed.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { published, untilJoined } from '../helpers/published.ts';
import { connectedDealer, type Frame, rawDealer } from '../helpers/raw.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { nested } from '../interop/values.ts';
import { NO_UTF8, PACKED_REPLY, packed } from './bad-input-cases.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const hello = (data: string): Frame[] => ['$', '', '$hello', data];

/**
 * `cause`: the counter: a cause of the diagnostics, or `unasked`, a counter of
 * `router.stats().dropped`.
 */
const BAD_FRAMES: readonly { what: string; frames: Frame[]; cause: DropCause | 'unasked' }[] = [
  { what: 'one frame', frames: ['x'], cause: 'too-few-frames' },
  { what: 'three frames', frames: ['x', '', 'evil'], cause: 'too-few-frames' },
  { what: 'a reply without a delimiter', frames: ['evil', '{}'], cause: 'unknown-token' },
  { what: 'a reply to an unknown request', frames: ['client', '', 'evil', '{}'], cause: 'unknown-token' },
  {
    what: 'a token that the router did not issue',
    frames: [encodeToken(0, 7), '', 'evil', '{}'],
    cause: 'unasked',
  },
  {
    what: 'a name that is not UTF-8',
    frames: [encodeToken(0, 7), '', NO_UTF8, '{}'],
    cause: 'bad-event-name',
  },
  {
    what: 'a name of 64 KiB',
    frames: [encodeToken(0, 7), '', 'n'.repeat(65_536), '{}'],
    cause: 'bad-event-name',
  },
  { what: 'three empty frames', frames: ['', '', ''], cause: 'bad-event-name' },
  { what: '10,000 frames', frames: Array.from({ length: 10_000 }, () => 'x'), cause: 'too-many-frames' },
  { what: '10,000 empty frames', frames: Array.from({ length: 10_000 }, () => ''), cause: 'bad-event-name' },
  { what: 'a control message without a name', frames: ['$', ''], cause: 'bad-control' },
  { what: 'an unknown control message', frames: ['$', '', '$explode', '{}'], cause: 'bad-control' },
  { what: 'a packed message of garbage', frames: [packed(9, 9, 9)], cause: 'bad-batch' },
  { what: 'a truncated packed reply', frames: [packed(2, 0, 1)], cause: 'bad-batch' },
  { what: 'a packed reply to an unknown request', frames: [PACKED_REPLY], cause: 'unasked' },
  { what: 'a truncated packed request', frames: [packed(1, 0, 0)], cause: 'bad-batch' },
];

const BAD_HELLOS: Record<string, string> = {
  'broken JSON': '{"v":1',
  'JSON that is not an object': '[1]',
  'an unknown version': '{"v":99,"pack":1,"concurrency":1}',
  'no concurrency': '{"v":1,"pack":1}',
  'a concurrency of a billion': '{"v":1,"pack":1,"concurrency":1000000000}',
  'events that are not a list': '{"v":1,"pack":1,"concurrency":1,"events":"echo"}',
  'events that are not names': '{"v":1,"pack":1,"concurrency":1,"events":[1,null]}',
  'an event of the router': '{"v":1,"pack":1,"concurrency":1,"events":["$hello"]}',
  '60,000 events': JSON.stringify({ v: 1, pack: 1, concurrency: 1, events: names(60_000) }),
  'a contract without a fragment': '{"v":1,"pack":1,"concurrency":1,"contract":{"name":"x"}}',
};

function names(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `event.${n}`);
}

/** Depth of the nested arrays. */
function levelsOf(value: unknown): number {
  let levels = 0;
  for (let inner = value; Array.isArray(inner); inner = inner[0] as unknown) levels += 1;
  return levels;
}

describe('backend', () => {
  const scope = new Scope();
  let router: ZeroMQRouter;
  let backend: string;
  let client: ZeroMQClient;
  let drops: Drops;

  before(async () => {
    drops = new Drops(scope);
    router = new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY });
    scope.after(() => router.stop({ deadline: 100 }));
    const bound = await router.start();
    backend = bound.backend;
    const worker = new ZeroMQWorker({ connection: backend, handlers: { echo: (data: unknown) => data } });
    scope.after(() => worker.stop({ deadline: 100 }));
    await untilJoined(() => worker.start());
    client = new ZeroMQClient({ ...PATIENT, connection: bound.frontend });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  });
  after(() => scope.close());

  const goodRequest = async () => {
    assert.equal((await client.sendMessage('echo', 'good')).eventData, 'good');
  };

  /** A bare socket that the router treats as a classic worker: it gets unannounced events. */
  const evilWorker = (cleanup: Scope) => untilJoined(async () => rawDealer(cleanup, backend));

  /** Sends the next request to the bare socket and returns its frames up to the name. */
  const assigned = async (socket: Dealer) => (await socket.receive()).slice(0, 3);

  /**
   * Replies to unknown requests: settled ones or invented ones. A guessed token may match either.
   */
  const unasked = () => router.stats().dropped.late + router.stats().dropped.unknownToken;
  const counted = (cause: DropCause | 'unasked') => (cause === 'unasked' ? unasked() : drops.count(cause));

  /**
   * Waits for the answer to a goodbye, after which the router has read everything that the worker
   * sent before.
   */
  const isRead = async (socket: Dealer) => {
    await socket.send(['$', '', '$bye', '{}']);
    assert.equal(String((await socket.receive())[2]), '$bye');
  };

  /**
   * Sends the worker a request. Its reply proves that the router has read everything sent before.
   */
  const stillServes = async (socket: Dealer) => {
    const reply = client.sendMessage('evil', {});
    await socket.send([...(await assigned(socket)), '"still here"']);
    assert.equal((await reply).eventData, 'still here');
  };

  describe('backend: drops and counts', () => {
    for (const { what, frames, cause } of BAD_FRAMES) {
      it(what, async (t) => {
        const socket = await evilWorker(scopeOf(t));
        const before = counted(cause);
        await socket.send(frames);
        // A worker that sends packed messages receives packed ones, which this bare socket does not
        // understand.
        await (frames[0] instanceof Buffer && isPacked(frames[0]) ? isRead(socket) : stillServes(socket));
        assert.equal(counted(cause), before + 1);
        await goodRequest();
      });
    }

    it('backend: drops the second of two replies', async (t) => {
      const socket = await evilWorker(scopeOf(t));
      const before = router.stats().dropped.late;
      const reply = client.sendMessage('evil', {});
      const request = await assigned(socket);
      await socket.send([...request, '1']);
      await socket.send([...request, '2']);
      assert.equal((await reply).eventData, 1);
      await stillServes(socket);
      assert.equal(router.stats().dropped.late, before + 1);
      await goodRequest();
    });

    it('backend: drops a reply to a request that another worker holds, and guesses at its token', async (t) => {
      const scope = scopeOf(t);
      const holder = await evilWorker(scope);
      const reply = client.sendMessage('evil', {});
      const request = await assigned(holder);
      const thief = await evilWorker(scope);
      const before = { foreign: router.stats().dropped.foreign, unasked: unasked() };
      await thief.send([...request, '"stolen"']);
      for (let n = 1; n <= 1000; n += 1) {
        const guess = Buffer.from(request[0] ?? '');
        guess.writeUInt32LE((guess.readUInt32LE(5) + n) >>> 0, 5);
        await thief.send([guess, '', 'evil', '"guessed"']);
      }
      await stillServes(thief);
      assert.equal(router.stats().dropped.foreign, before.foreign + 1);
      assert.equal(unasked(), before.unasked + 1000);
      await holder.send([...request, '"mine"']);
      assert.equal((await reply).eventData, 'mine');
      await goodRequest();
    });
  });

  describe('backend: rejects a worker whose hello has', () => {
    for (const [what, data] of Object.entries(BAD_HELLOS)) {
      it(what, async (t) => {
        const socket = rawDealer(scopeOf(t), backend);
        await socket.send(hello(data));
        const [, , name, reason] = await socket.receive();
        assert.equal(String(name), '$refused');
        assert.equal(typeof (JSON.parse(String(reason)) as { reason: unknown }).reason, 'string');
        await goodRequest();
      });
    }
  });

  it('backend: forwards a reply with invalid JSON, which the client reports', async (t) => {
    const socket = await evilWorker(scopeOf(t));
    const reply = assert.rejects(client.sendMessage('evil', {}), { code: 'BAD_REPLY' });
    await socket.send([...(await assigned(socket)), '{"broken']);
    await reply;
    await goodRequest();
  });

  for (const levels of [1000, 100_000]) {
    it(`backend: forwards a reply with JSON of ${levels} levels and what follows`, async (t) => {
      const socket = await evilWorker(scopeOf(t));
      const reply = client.sendMessage<unknown>('evil', {});
      await socket.send([...(await assigned(socket)), nested(levels)]);
      const { status, eventData } = await reply;
      assert.deepEqual([status, levelsOf(eventData)], [200, levels]);
      await stillServes(socket);
      await goodRequest();
    });
  }

  it('backend: disconnects a worker that replies with 64 MiB, and the caller learns that it is lost', async (t) => {
    const socket = await evilWorker(scopeOf(t));
    const reply = assert.rejects(client.sendMessage('evil', {}), { code: 'WORKER_LOST', dispatched: true });
    await socket.send([...(await assigned(socket)), Buffer.alloc(64 * 1024 * 1024, 0x20)]);
    await reply;
    await goodRequest();
  });

  it('backend: drops the reply from another connection with the identity of a worker; the request is lost', async (t) => {
    const scope = scopeOf(t);
    const owner = await untilJoined(async () => rawDealer(scope, backend, 'same-identity'));
    const lost = assert.rejects(client.sendMessage('evil', {}), { code: 'WORKER_LOST', dispatched: true });
    const request = await assigned(owner);
    const thief = rawDealer(scope, backend, 'same-identity');
    await thief.send([...request, '"stolen"']);
    await lost;
    await goodRequest();
  });

  for (const [what, identity, frames] of [
    ['uses the identity of another one', 'a-worker', []],
    ['sends the frame that stands for a closed connection', 'a-ghost', ['']],
  ] as const) {
    it(`backend: sends no request to a worker that ${what} and leaves`, async (t) => {
      const scope = scopeOf(t);
      if (frames.length === 0) await untilJoined(async () => rawDealer(scope, backend, identity));
      const worker = await untilJoined(async () => rawDealer(scope, backend, 'another-worker'));
      const ghost = await connectedDealer(scope, backend, identity);
      if (frames.length > 0) await ghost.send([...frames]);
      const haunted = published(diagnostics.workerJoined, () => true, 500).catch(() => undefined);
      ghost.close();
      await haunted;
      for (let n = 0; n < 4; n += 1) await stillServes(worker);
    });
  }

  it('backend: accepts a worker with the identity of an earlier one', async (t) => {
    const scope = scopeOf(t);
    const owner = await untilJoined(async () => rawDealer(scope, backend, 'one-after-the-other'));
    const gone = published(diagnostics.workerLeft, ({ worker }) => worker === 'one-after-the-other');
    owner.close();
    await gone;
    const next = await untilJoined(async () => rawDealer(scope, backend, 'one-after-the-other'));
    const reply = client.sendMessage('evil', {});
    await next.send([...(await assigned(next)), '"next"']);
    assert.equal((await reply).eventData, 'next');
  });
});
