/** Workers whose hello says `pack: 0`: classic frames with metadata for all that packed messages carry. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withResolvers } from '../../src/core/collections/deferred.ts';
import { withHelloMark } from '../../src/core/identity/identity.ts';
import { controlFrames, type Hello } from '../../src/wire/control.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { briefTimeout, PATIENCE } from '../helpers/patience.ts';
import { type Frame, rawDealer } from '../helpers/raw.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from './framework.ts';

failOnLeftovers();

interface Request {
  readonly token: Buffer;
  readonly name: string;
  readonly data: unknown;
  readonly metadata: Record<string, unknown>;
}

/** A native worker that packs nothing. */
class UnpackedWorker {
  readonly socket;

  constructor(scope: Scope, backend: string, routingId: string = withHelloMark('unpacked')) {
    this.socket = rawDealer(scope, backend, routingId);
  }

  async hello(members: Partial<Hello> = {}): Promise<void> {
    const hello = { v: 1, pack: 0, concurrency: 4, events: ['plain.get'], ...members };
    await this.socket.send(controlFrames('$hello', hello));
    assert.equal((await this.control()).name, '$welcome');
  }

  /** The next message, which must be a control message. */
  async control(): Promise<{ name: string; data: Record<string, unknown> }> {
    const [address, delimiter, name, data] = await this.socket.receive();
    assert.deepEqual([String(address), String(delimiter)], ['$', '']);
    return { name: String(name), data: JSON.parse(String(data)) as Record<string, unknown> };
  }

  /** The next message, which must be a request of five frames. */
  async request(): Promise<Request> {
    const frames = await this.socket.receive();
    assert.equal(frames.length, 5, frames.map(String).join('|'));
    const [token, delimiter, name, data, metadata] = frames as [Buffer, Buffer, Buffer, Buffer, Buffer];
    assert.deepEqual([token[0], token.length, delimiter.length], [0x54, 9, 0]);
    return {
      token,
      name: String(name),
      data: JSON.parse(String(data)),
      metadata: JSON.parse(String(metadata)) as Record<string, unknown>,
    };
  }

  reply({ token, name }: Request, body: Frame, metadata?: object): Promise<void> {
    const extra = metadata === undefined ? [] : [JSON.stringify({ v: 1, ...metadata })];
    return this.socket.send([token, '', name, body, ...extra]);
  }
}

async function start(
  t: { after(cleanup: () => unknown): void },
  members?: Partial<Hello>,
  routingId?: string,
) {
  const scope = scopeOf(t);
  const { router, frontend, backend } = await startRouter(scope);
  const worker = new UnpackedWorker(scope, backend, routingId);
  await worker.hello(members);
  const client = await connectClient(scope, frontend);
  return { scope, router, frontend, backend, worker, client };
}

describe('a worker that does not pack', () => {
  it('receives requests in classic frames with metadata, and its replies keep status, headers and media type', async (t) => {
    const { worker, client, router } = await start(t);
    assert.equal(router.stats().workers, 1);
    const options = { requestId: 'r-1', timeout: PATIENCE, idempotent: true };
    const first = client.sendMessage('plain.get', { a: 1 }, options);
    const request = await worker.request();
    assert.deepEqual([request.name, request.data], ['plain.get', { a: 1 }]);
    const { ttl, ...metadata } = request.metadata;
    assert.deepEqual(metadata, { v: 1, id: 'r-1', idem: true });
    assert.ok(Number(ttl) > PATIENCE / 2 && Number(ttl) <= PATIENCE, String(ttl));
    await worker.reply(request, '{"b":2}', { status: 201, ext: { headers: { location: '/2' } } });
    const reply = await first;
    assert.deepEqual([reply.status, reply.eventData, reply.headers], [201, { b: 2 }, { location: '/2' }]);

    // The client packs by now; the worker receives the same frames.
    const second = client.sendMessage('plain.get', { a: 2 });
    await worker.reply(await worker.request(), '"plain"');
    assert.deepEqual([(await second).status, (await second).eventData], [200, 'plain']);
  });

  it('reports errors by their code', async (t) => {
    const { worker, client } = await start(t);
    const failed = assert.rejects(client.sendMessage('plain.get', 1), {
      code: 'NOT_FOUND',
      status: 404,
      message: /no such thing/,
    });
    const error = JSON.stringify({ error: { code: 'NOT_FOUND', message: 'no such thing' } });
    await worker.reply(await worker.request(), error, { status: 404, code: 'NOT_FOUND' });
    await failed;
  });

  it('receives a $cancel with the token of each request that was cancelled or expired', async (t) => {
    const { worker, client } = await start(t);
    const warm = client.sendMessage('plain.get', 0);
    await worker.reply(await worker.request(), '0', {});
    await warm;
    const abort = new AbortController();
    const cancelled = assert.rejects(client.sendMessage('plain.get', 1, { signal: abort.signal }), {
      code: 'CANCELLED',
    });
    const first = await worker.request();
    abort.abort();
    const expect = { token: first.token.toString('hex'), reason: 'cancelled' };
    assert.deepEqual(await worker.control(), { name: '$cancel', data: expect });
    await cancelled;
    const late = assert.rejects(client.sendMessage('plain.get', 2, { timeout: briefTimeout(100) }), {
      code: 'TIMEOUT',
    });
    const second = await worker.request();
    const { name, data } = await worker.control();
    assert.deepEqual([name, data.token], ['$cancel', second.token.toString('hex')]);
    assert.match(String(data.reason), /^(expired|cancelled)$/);
    await late;
    await worker.reply(first, 'null', {});
    await worker.reply(second, 'null', {});
    await worker.socket.send(controlFrames('$bye', {}));
    assert.equal((await worker.control()).name, '$bye');
  });

  it('changes its concurrency, is asked for credit, and drains', async (t) => {
    const { worker, client, router } = await start(t, { concurrency: 0, share: true });
    const replies = [1, 2].map((data) => client.sendMessage('plain.get', data));
    assert.equal((await worker.control()).name, '$want');
    await worker.socket.send(controlFrames('$credit', { concurrency: 1 }));
    const first = await worker.request();
    assert.equal((await worker.control()).name, '$want');
    assert.deepEqual(await worker.control(), { name: '$credit', data: { concurrency: 1 } });
    assert.equal(router.stats().queued, 1);
    await worker.reply(first, '1', {});
    const second = await worker.request();
    await worker.socket.send(controlFrames('$bye', {}));
    assert.equal((await worker.control()).name, '$bye');
    await worker.reply(second, '2', {});
    const values = (await Promise.all(replies)).map(({ eventData }) => eventData);
    assert.deepEqual(values, [1, 2]);
  });

  it('turns a reply that is not JSON into BAD_REPLY, unless its media type is another one', async (t) => {
    const { scope, worker, client } = await start(t);
    const drops = new Drops(scope);
    const bad = assert.rejects(client.sendMessage('plain.get', 1), { code: 'BAD_REPLY' });
    await worker.reply(await worker.request(), '{"value":NaN}', { status: 200 });
    await bad;
    await drops.waitFor('bad-json', 1);
    const broken = assert.rejects(client.sendMessage('plain.get', 1), { code: 'BAD_REPLY' });
    await worker.reply(await worker.request(), '1', { status: 'fine' });
    await broken;
    const text = client.sendMessage('plain.get', 1);
    await worker.reply(await worker.request(), 'NaN', { type: 'text/plain' });
    assert.equal(String((await text).eventData), 'NaN');
  });

  it('is asked for a hello when it replies and the router does not know it', async (t) => {
    const scope = scopeOf(t);
    const { backend } = await startRouter(scope);
    const drops = new Drops(scope);
    const worker = new UnpackedWorker(scope, backend);
    await worker.socket.send([
      Buffer.concat([Buffer.from('T'), Buffer.alloc(8)]),
      '',
      'plain.get',
      '1',
      '{}',
    ]);
    assert.equal((await worker.control()).name, '$who');
    await drops.waitFor('late-reply', 1);
    await worker.hello();
  });

  it('needs no mark in its routing id when it says hello in time', async (t) => {
    const { worker, client } = await start(t, {}, 'unmarked');
    const reply = client.sendMessage('plain.get', 1);
    await worker.reply(await worker.request(), '1', {});
    assert.equal((await reply).eventData, 1);
  });

  it('loses its requests with its connection, and idempotent ones go to another worker', async (t) => {
    const { scope, worker, client, backend } = await start(t);
    const lost = assert.rejects(client.sendMessage('plain.get', 1), { code: 'WORKER_LOST' });
    const again = client.sendMessage('plain.get', 2, { idempotent: true });
    await worker.request();
    await worker.request();
    const other = new UnpackedWorker(scope, backend, withHelloMark('other'));
    await other.hello();
    worker.socket.close();
    await lost;
    const request = await other.request();
    assert.deepEqual([request.data, request.metadata['idem']], [2, true]);
    await other.reply(request, '2', {});
    assert.equal((await again).eventData, 2);
  });
});

describe('streams beside nodes that do not take them', () => {
  it('a classic pool client and a worker with pack: 0 work while a stream flows through their router', async (t) => {
    const { scope, frontend, backend, worker, client } = await start(t);
    const open = withResolvers<undefined>();
    await startWorker(scope, {
      connection: backend,
      handlers: {
        'ticks.watch': async function* () {
          yield { n: 1 };
          await open.promise;
          yield { n: 2 };
        },
        'ticks.list': async function* () {
          yield { n: 1 };
          yield { n: 2 };
        },
      },
    });
    const classic = await connectClient(scope, frontend, { classic: true, poolSize: 2 });
    const stream = (await client.stream('ticks.watch'))[Symbol.asyncIterator]();
    assert.deepEqual(await stream.next(), { done: false, value: { n: 1 } });
    const plain = classic.sendMessage('plain.get', 1);
    await worker.reply(await worker.request(), '"one"', {});
    assert.equal((await plain).eventData, 'one');
    // A client that takes no streams gets the whole reply, one that does a stream of one item.
    assert.equal(String((await classic.sendMessage('ticks.list')).eventData), '{"n":1}\n{"n":2}\n');
    const whole = client.stream('plain.get', 2);
    const request = await worker.request();
    assert.equal(request.metadata['window'], undefined);
    await worker.reply(request, '"two"', {});
    const items: unknown[] = [];
    for await (const item of await whole) items.push(item);
    assert.deepEqual(items, ['two']);
    await assert.rejects(client.stream('plain.get', 3, { body: 'abc' }), { code: 'STREAMS_UNSUPPORTED' });
    await assert.rejects(classic.stream('ticks.list', null, { body: 'abc' }), {
      code: 'STREAMS_UNSUPPORTED',
    });
    open.resolve(undefined);
    assert.deepEqual(await stream.next(), { done: false, value: { n: 2 } });
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
  });
});
