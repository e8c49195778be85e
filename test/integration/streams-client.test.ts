/** `client.stream` over real sockets: items, bytes, uploads, failures, cancellation and flow control. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  event,
  type HandlerContext,
  ReplyError,
  stream,
  ZeroMQClient,
  type ZeroMQRouter,
} from '../../src/index.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { startRouter, startServer, startWorker } from './framework.ts';

failOnLeftovers();

const KIB = 1024;

/** What the handlers observed; emits `change`. */
class Seen extends EventEmitter {
  produced = 0;
  aborted = 0;
  uploaded = 0;

  until(check: (seen: this) => boolean, what: string): Promise<boolean> {
    return eventually(emissions(this, 'change'), () => check(this), what);
  }
}

function handlersOf(seen: Seen) {
  return {
    'count.to': async function* (data: { n: number }) {
      for (let index = 0; index < data.n; index++) yield { index };
    },
    'events.get': async function* () {
      yield event({ id: '7', event: 'tick', data: { n: 1 }, retry: 10 });
      yield event({ data: 'zwölf\nlines' });
    },
    'bytes.get': (data: { chunks: number }) =>
      stream(
        (async function* () {
          for (let index = 0; index < data.chunks; index++) yield Buffer.alloc(32 * KIB, index % 251);
        })(),
        { status: 206, headers: { 'x-name': 'file' }, contentType: 'application/octet-stream' },
      ),
    'endless.get': async function* (_data: unknown, { signal }: HandlerContext) {
      signal.addEventListener('abort', () => {
        seen.aborted += 1;
        seen.emit('change');
      });
      for (;;) {
        seen.produced += 1;
        yield Buffer.alloc(32 * KIB);
        await new Promise(setImmediate);
      }
    },
    'fails.late': async function* () {
      yield { ok: true };
      await sleep(20);
      throw new ReplyError(409, 'TOO_LATE', 'it failed');
    },
    'fails.early': async function* () {
      await sleep(1);
      if (seen.produced >= 0) throw new ReplyError(404, 'NOT_THERE', 'no such thing');
      yield 1;
    },
    'whole.get': (data: unknown) => ({ data }),
    'upload.put': async (_data: unknown, context: HandlerContext) => {
      let sum = 0;
      for await (const bytes of context.body) {
        seen.uploaded += bytes.length;
        for (const byte of bytes) sum = (sum + byte) % 65_521;
      }
      return { bytes: seen.uploaded, sum };
    },
    'parts.put': async (_data: unknown, context: HandlerContext) => {
      const parts: object[] = [];
      for await (const { name, filename, contentType, body } of context.parts) {
        let text = '';
        for await (const bytes of body) text += bytes.toString();
        parts.push({ name, ...(filename !== undefined && { filename }), contentType, text });
      }
      return parts;
    },
    'slow.put': async (_data: unknown, context: HandlerContext) => {
      for await (const bytes of context.body) {
        seen.uploaded += bytes.length;
        seen.emit('change');
        await once(context.signal, 'abort');
        break;
      }
      return null;
    },
  };
}

interface Place {
  readonly client: ZeroMQClient;
  readonly seen: Seen;
  readonly router: ZeroMQRouter | undefined;
}

type Kind = 'tcp' | 'ipc' | 'inproc' | 'embedded worker' | 'server';

async function open(scope: Scope, kind: Kind): Promise<Place> {
  const seen = new Seen();
  const handlers = handlersOf(seen);
  const connect = async (connection: string): Promise<ZeroMQClient> => {
    const client = new ZeroMQClient({ connection });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    return client;
  };
  if (kind === 'server') {
    const server = await startServer(scope, { connection: 'tcp://127.0.0.1:0', handlers });
    return { client: await connect(server.endpoint), seen, router: undefined };
  }
  const { router, frontend, backend } = await startRouter(scope, kind === 'embedded worker' ? 'tcp' : kind);
  await startWorker(scope, {
    connection: kind === 'embedded worker' ? router : backend,
    concurrency: 20,
    handlers,
  });
  return { client: await connect(frontend), seen, router };
}

/** Time for chunks that should not be sent: several requests over the same connections. */
async function roundTrips(client: ZeroMQClient): Promise<void> {
  for (let index = 0; index < 20; index++) await client.sendMessage('whole.get', index);
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const got: Item[] = [];
  for await (const item of items) got.push(item);
  return got;
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => (error as { code?: string }).code === expected;
}

for (const kind of ['tcp', 'ipc', 'inproc', 'embedded worker', 'server'] as const) {
  describe(`client.stream over ${kind}`, () => {
    it(`${kind}: items of NDJSON, events, bytes and whole replies`, async (t) => {
      const { client } = await open(scopeOf(t), kind);
      const counted = await client.stream('count.to', { n: 1000 });
      assert.equal(counted.contentType, 'application/x-ndjson');
      const items = await all(counted);
      assert.deepEqual([items.length, items.at(-1)], [1000, { index: 999 }]);
      assert.deepEqual(await all(await client.stream('events.get')), [
        { id: '7', event: 'tick', data: { n: 1 }, retry: 10 },
        { id: '7', event: 'message', data: 'zwölf\nlines', retry: undefined },
      ]);
      const bytes = await client.stream('bytes.get', { chunks: 100 });
      assert.deepEqual([bytes.status, bytes.headers['x-name']], [206, 'file']);
      const whole = Buffer.concat(await all(bytes.bytes()));
      assert.equal(whole.length, 100 * 32 * KIB);
      for (let index = 0; index < 100; index++) assert.equal(whole[index * 32 * KIB + 5], index % 251);
      assert.deepEqual(await all(await client.stream('whole.get', 5)), [{ data: 5 }]);
      const { eventData } = await client.sendMessage('count.to', { n: 2 });
      assert.equal(String(eventData), '{"index":0}\n{"index":1}\n', 'sendMessage gets the whole reply');
    });

    it(`${kind}: failures before the first chunk reject, later ones end the loop`, async (t) => {
      const { client } = await open(scopeOf(t), kind);
      await assert.rejects(client.stream('fails.early'), code('NOT_THERE'));
      const late = await client.stream('fails.late');
      const got: unknown[] = [];
      await assert.rejects(async () => {
        for await (const item of late) got.push(item);
      }, code('TOO_LATE'));
      assert.deepEqual(got, [{ ok: true }]);
    });

    it(`${kind}: a slow reader stops the handler, and leaving the loop aborts it`, async (t) => {
      const { client, seen } = await open(scopeOf(t), kind);
      const endless = await client.stream('endless.get', null, { window: 128 * KIB });
      const reader = endless.bytes();
      await reader.next();
      await roundTrips(client);
      assert.ok(seen.produced <= 12, `the handler produced ${seen.produced} chunks`);
      for (let index = 0; index < 20; index++) await reader.next();
      assert.ok(seen.produced >= 20, 'the handler goes on when the reader does');
      await reader.return?.();
      await seen.until(({ aborted }) => aborted === 1, 'the handler to be aborted');
    });

    it(`${kind}: uploads from iterables, streams and buffers, and multipart`, async (t) => {
      const { client, seen } = await open(scopeOf(t), kind);
      const megabyte = Buffer.alloc(1024 * KIB, 3);
      for (const body of [megabyte, Readable.from([megabyte]), new Blob([megabyte]).stream(), [megabyte]]) {
        seen.uploaded = 0;
        const [reply] = await all(await client.stream('upload.put', null, { body }));
        assert.deepEqual(reply, { bytes: megabyte.length, sum: (megabyte.length * 3) % 65_521 });
      }
      const parts = [
        { name: 'title', body: 'ä title' },
        { name: 'photo', filename: 'a.png', contentType: 'image/png', body: ['one', Buffer.from('two')] },
      ];
      const [got] = await all(await client.stream('parts.put', null, { parts }));
      assert.deepEqual(got, [
        { name: 'title', contentType: 'text/plain', text: 'ä title' },
        { name: 'photo', filename: 'a.png', contentType: 'image/png', text: 'onetwo' },
      ]);
    });

    it(`${kind}: a handler that does not read stops the upload, and a source's error cancels it`, async (t) => {
      const { client, seen } = await open(scopeOf(t), kind);
      let taken = 0;
      const abort = new AbortController();
      const source = (async function* () {
        for (;;) {
          taken += 32 * KIB;
          yield Buffer.alloc(32 * KIB);
          await new Promise(setImmediate);
        }
      })();
      const pending = client.stream('slow.put', null, { body: source, signal: abort.signal });
      await seen.until(({ uploaded }) => uploaded > 0, 'the first chunk');
      await roundTrips(client);
      assert.ok(taken <= 12 * 32 * KIB, `the source gave ${taken} bytes`);
      abort.abort();
      await assert.rejects(pending, code('CANCELLED'));
      const broken = (async function* () {
        yield Buffer.from('x');
        await sleep(1);
        throw new Error('the disk failed');
      })();
      await assert.rejects(client.stream('upload.put', null, { body: broken }), /the disk failed/);
    });
  });
}

describe('client.stream', () => {
  it('stream: is read once, cancelled by its signal, and disposed of', async (t) => {
    const { client, seen, router } = await open(scopeOf(t), 'tcp');
    const abort = new AbortController();
    const endless = await client.stream('endless.get', null, { signal: abort.signal });
    const reader = endless.bytes();
    assert.throws(() => endless.bytes(), /can be read once/);
    abort.abort();
    await assert.rejects(async () => {
      for await (const _bytes of { [Symbol.asyncIterator]: () => reader });
    }, code('CANCELLED'));
    const second = await client.stream('endless.get');
    await second[Symbol.asyncDispose]();
    await seen.until(({ aborted }) => aborted === 2, 'both handlers to be aborted');
    assert.equal(router?.stats().openStreams, 0);
  });

  it('stream: the first request on a connection is a stream', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers: handlersOf(new Seen()) });
    const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
    scope.after(() => client.close());
    const got = await all(await client.stream('count.to', { n: 3 }));
    assert.deepEqual([got.length, router.stats().streams], [3, 1]);
  });

  it('stream: wrong options are rejected', async (t) => {
    const { client } = await open(scopeOf(t), 'tcp');
    await assert.rejects(client.stream('e', null, { body: 'x', parts: [] }), /body or the option parts/);
    await assert.rejects(client.stream('e', null, { window: 0 }), /window must be at least 1/);
    await assert.rejects(
      client.stream('e', null, { body: [5] as unknown as string[] }),
      /strings and Uint8Arrays/,
    );
  });

  it('stream: a client that closes aborts the handler', async (t) => {
    const { client, seen } = await open(scopeOf(t), 'tcp');
    const endless = await client.stream('endless.get');
    const reader = endless.bytes();
    await reader.next();
    await client.close();
    await seen.until(({ aborted }) => aborted === 1, 'the handler to be aborted');
    await assert.rejects(async () => {
      for await (const _bytes of { [Symbol.asyncIterator]: () => reader });
    }, code('CANCELLED'));
  });
});
