/** Streams through routers: lost workers, two routers, slow readers, fairness, and nodes without streams. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import { withHelloMark } from '../../src/core/identity/identity.ts';
import { NO_BYTES, type ReplyMessage } from '../../src/core/messages/message.ts';
import type { HandlerContext } from '../../src/index.ts';
import { controlFrames, type Hello } from '../../src/wire/control.ts';
import { isPacked, readPacked } from '../../src/wire/packed.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { rawDealer } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from './framework.ts';

failOnLeftovers();

const KIB = 1024;
const handlers = {
  'small.get': (data: unknown) => data,
  'count.to': async function* ({ n }: { n: number }) {
    for (let index = 0; index < n; index++) yield index;
  },
  'bytes.get': async function* ({ chunks }: { chunks: number }) {
    for (let index = 0; index < chunks; index++) {
      yield Buffer.alloc(64 * KIB, index % 251);
      await new Promise(setImmediate);
    }
  },
  'upload.put': async (_data: unknown, { body }: HandlerContext) => {
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.length;
    return bytes;
  },
};

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const got: Item[] = [];
  for await (const item of items) got.push(item);
  return got;
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => (error as { code?: string }).code === expected;
}

interface Received {
  readonly id: number;
  readonly generation: number;
  readonly window: number | undefined;
}

/** A worker on frame level that packs. */
class PackedWorker {
  readonly socket: Dealer;
  readonly cancels: number[] = [];

  constructor(scope: Scope, backend: string) {
    this.socket = rawDealer(scope, backend, withHelloMark('packed'));
  }

  async hello(members: Partial<Hello> = {}): Promise<void> {
    const hello = { v: 1, pack: 1, stream: 1, concurrency: 4, events: ['raw.get'], ...members };
    await this.socket.send(controlFrames('$hello', hello));
    assert.equal(String((await this.socket.receive())[2]), '$welcome');
  }

  /** The next request; cancels before it are recorded. */
  async request(): Promise<Received> {
    const requests: Received[] = [];
    while (requests.length === 0) {
      const frames = await this.socket.receive();
      assert.ok(frames[0] !== undefined && isPacked(frames[0]));
      readPacked(frames, 0, {
        packedRequest: (id, generation, { window }) => requests.push({ id, generation, window }),
        packedReply: () => undefined,
        packedCancel: (id) => this.cancels.push(id),
      });
    }
    const [request] = requests;
    assert.ok(request !== undefined);
    return request;
  }

  async reply({ id, generation }: Received, parts: readonly Partial<ReplyMessage>[]): Promise<void> {
    const batch = new PackedBatch();
    const success = { status: 200, code: '', dispatched: true, more: false, contentType: 'text/plain' };
    for (const part of parts)
      batch.addReply(id, generation, { ...success, extras: NO_BYTES, body: NO_BYTES, ...part });
    await this.socket.send(batch.take());
  }
}

const chunk = (text: string): Partial<ReplyMessage> => ({ more: true, body: Buffer.from(text) });

for (const transport of ['tcp', 'ipc'] as const) {
  describe(`streams through a router over ${transport}`, () => {
    it(`${transport}: a killed worker ends its streams, and the chunks before are delivered`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await startRouter(scope, transport);
      const worker = new PackedWorker(scope, backend);
      await worker.hello();
      const client = await connectClient(scope, frontend);
      const opening = client.stream('raw.get', null, { idempotent: true });
      await worker.reply(await worker.request(), [chunk('one'), chunk('two')]);
      const got: string[] = [];
      await assert.rejects(async () => {
        for await (const item of await opening) {
          got.push(String(item));
          if (got.length === 2) worker.socket.close();
        }
      }, code('WORKER_LOST'));
      assert.deepEqual(got, ['one', 'two']);
    });

    it(`${transport}: a worker that exceeds its window is cut`, async (t) => {
      const scope = scopeOf(t);
      const drops = new Drops(scope);
      const { router, frontend, backend } = await startRouter(scope, transport);
      const worker = new PackedWorker(scope, backend);
      await worker.hello();
      const client = await connectClient(scope, frontend);
      const opening = client.stream('raw.get', null, { window: 4 });
      const request = await worker.request();
      assert.equal(request.window, 4);
      await worker.reply(request, [chunk('four'), chunk('x')]);
      await assert.rejects(opening.then(all), code('BAD_REPLY'));
      await drops.waitFor('window-exceeded');
      assert.equal(router.stats().windowExceeded, 1);
    });

    it(`${transport}: a slow reader does not fill the router`, async (t) => {
      const scope = scopeOf(t);
      const { router, frontend, backend } = await startRouter(scope, transport);
      await startWorker(scope, { connection: backend, concurrency: 10, handlers });
      const client = await connectClient(scope, frontend);
      const unread = await Promise.all(
        Array.from({ length: 5 }, () => client.stream('bytes.get', { chunks: 1000 }, { window: 128 * KIB })),
      );
      for (let index = 0; index < 50; index++) await client.sendMessage('small.get', index);
      const { chunkBytes, openStreams, unreadBytes, windowStalls } = router.stats();
      assert.ok(chunkBytes <= 5 * 192 * KIB, `the router passed ${chunkBytes} bytes on`);
      assert.deepEqual([openStreams, unreadBytes, windowStalls], [5, 0, 5]);
      for (const stream of unread) stream.cancel();
      await client.sendMessage('small.get', 1);
      assert.equal(router.stats().openStreams, 0);
    });

    it(`${transport}: small requests are answered while a large stream runs`, async (t) => {
      const scope = scopeOf(t);
      const { frontend, backend } = await startRouter(scope, transport);
      await startWorker(scope, { connection: backend, concurrency: 10, handlers });
      const client = await connectClient(scope, frontend);
      const other = await connectClient(scope, frontend);
      let bytes = 0;
      const download = client.stream('bytes.get', { chunks: 2000 }).then(async (stream) => {
        for await (const part of stream.bytes()) bytes += part.length;
      });
      for (let index = 0; index < 20; index++) {
        assert.equal((await client.sendMessage('small.get', index)).eventData, index);
        assert.equal((await other.sendMessage('small.get', index)).eventData, index);
      }
      assert.ok(bytes < 2000 * 64 * KIB, 'the requests waited for the end of the stream');
      await download;
      assert.equal(bytes, 2000 * 64 * KIB);
    });
  });
}

describe('streams and several routers', () => {
  it('two routers: streams and uploads run through both', async (t) => {
    const scope = scopeOf(t);
    const first = await startRouter(scope);
    const second = await startRouter(scope);
    const connection = [first.backend, second.backend];
    await startWorker(scope, { connection, concurrency: 10, handlers });
    const client = await connectClient(scope, [first.frontend, second.frontend]);
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => client.stream('bytes.get', { chunks: 20 })),
    );
    for (const stream of streams) {
      const parts = await all(stream.bytes());
      assert.equal(
        parts.reduce((sum, { length }) => sum + length, 0),
        20 * 64 * KIB,
      );
    }
    const body = Buffer.alloc(500_000);
    for (let index = 0; index < 3; index++) {
      assert.deepEqual(await all(await client.stream('upload.put', null, { body })), [body.length]);
    }
    const opened = [first, second].map(({ router }) => router.stats().streams);
    assert.equal(
      opened.reduce((sum, count) => sum + count),
      9,
    );
  });
});

describe('streams and nodes that take none', () => {
  it('worker without streams: gets the request whole, and no upload', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    const worker = new PackedWorker(scope, backend);
    await worker.hello({ stream: undefined });
    const client = await connectClient(scope, frontend);
    const opening = client.stream('raw.get');
    const request = await worker.request();
    assert.equal(request.window, undefined);
    await worker.reply(request, [{ body: Buffer.from('whole') }]);
    assert.deepEqual((await all(await opening)).map(String), ['whole']);
    await assert.rejects(client.stream('raw.get', null, { body: 'x' }), code('STREAMS_UNSUPPORTED'));
  });

  it('classic client: gets the whole reply of a handler that streams', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: { 'lines.get': () => lines() } });
    const dealer = rawDealer(scope, frontend);
    await dealer.send(['', 'lines.get', 'null']);
    const [, name, body] = await dealer.receive();
    assert.deepEqual([String(name), String(body)], ['lines.get', JSON.stringify('{"n":1}\n{"n":2}\n')]);
  });
});

async function* lines(): AsyncGenerator<object> {
  await Promise.resolve();
  yield { n: 1 };
  yield { n: 2 };
}
