import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_CHUNK } from '../../../../src/core/messages/stream.ts';
import type { Origin, RouterRequest } from '../../../../src/router/broker/request.ts';
import type { WorkerInfo } from '../../../../src/router/broker/worker.ts';
import { FakeClient, FakeWorker, type Sent, System } from '../fixture.ts';

/** A worker that records grants and chunks. */
class StreamWorker extends FakeWorker {
  readonly granted: number[] = [];
  readonly chunks: string[] = [];

  sendWindow(_id: number, _generation: number, bytes: number): void {
    this.granted.push(bytes);
  }

  sendChunk(_id: number, _generation: number, body: Buffer, end: boolean): void {
    this.chunks.push(`${body.toString()}${end ? '.' : ''}`);
  }

  get held(): Sent {
    const [held] = this.open;
    assert.ok(held !== undefined, 'the worker holds no request');
    return held;
  }

  chunk(body: string | Buffer, contentType = ''): void {
    this.replyTo(this.held, { more: true, body: Buffer.from(body), contentType });
  }

  grant(bytes: number): void {
    const { system } = this;
    system.core.streams.grantBody(this.worker, this.held.id, this.held.generation, bytes, system.now);
  }

  constructor(system: System, info: Partial<WorkerInfo> = {}) {
    super(system, { concurrency: 2, ...info });
  }
}

class StreamClient extends FakeClient implements Origin {
  readonly granted: number[] = [];

  window(_request: RouterRequest, bytes: number): void {
    this.granted.push(bytes);
  }

  get bodies(): string[] {
    return this.replies.map(({ reply }) => `${reply.body.toString()}${reply.more ? '' : '.'}`);
  }
}

function make(options = {}) {
  const system = new System({ breaker: false, ...options });
  const client = new StreamClient();
  const worker = new StreamWorker(system);
  const submit = (request: object): RouterRequest => system.submit({ timeLeft: 1000, ...request }, client);
  const body = (request: RouterRequest, text: string, end = false) =>
    system.core.streams.body(request, Buffer.from(text), end, system.now);
  return { system, client, worker, submit, body };
}

describe('credit of streams', () => {
  it('stream: the credit returns with the first chunk, for up to maxStreams streams', () => {
    const system = new System({ breaker: false });
    const client = new StreamClient();
    const worker = new StreamWorker(system, { concurrency: 1, maxStreams: 1 });
    const submit = (): RouterRequest => system.submit({ timeLeft: 1000, window: 10 }, client);
    const [first, second, third] = [submit(), submit(), submit()];
    const states = (): string[] => [first, second, third].map(({ state }) => state);
    assert.deepEqual(states(), ['dispatched', 'queued', 'queued']);
    worker.replyTo(worker.held, { more: true, body: Buffer.from('a') });
    assert.deepEqual(states(), ['dispatched', 'dispatched', 'queued']);
    const [one, two] = worker.open;
    assert.ok(one !== undefined && two !== undefined);
    worker.replyTo(two, { more: true, body: Buffer.from('b') });
    assert.deepEqual(
      [states()[2], worker.worker.isFull],
      ['queued', true],
      'the second stream keeps its credit',
    );
    worker.replyTo(one, { body: Buffer.from('a') });
    assert.equal(states()[2], 'queued', 'the end of the first stream returns no credit twice');
    worker.replyTo(two, { body: Buffer.from('b') });
    assert.deepEqual([states()[2], worker.worker.held, worker.worker.creditless], ['dispatched', 1, 0]);
  });
});

describe('streamed replies', () => {
  it('stream: chunks, grants and the last part pass, and the worker holds the request until then', () => {
    const { system, client, worker, submit } = make();
    const request = submit({ window: 10 });
    worker.chunk('one');
    worker.chunk('two');
    system.core.streams.grantReply(request, 6, system.now);
    assert.equal(worker.worker.held, 1);
    worker.reply({ body: Buffer.from('end') });
    assert.deepEqual(client.bodies, ['one', 'two', 'end.']);
    assert.deepEqual([worker.granted, worker.worker.held], [[6], 0]);
    const { streams, chunks, chunkBytes, openStreams, ok } = system.core.stats();
    assert.deepEqual([streams, chunks, chunkBytes, openStreams, ok], [1, 2, 6, 0, 1]);
  });

  it('stream: a worker that sends after its window was used up is cut and counted', () => {
    const { system, client, worker, submit } = make();
    submit({ window: 4 });
    worker.chunk('larger than the rest');
    assert.equal(system.core.stats().windowStalls, 1);
    worker.chunk('x');
    assert.deepEqual(client.codes, ['ok', 'BAD_REPLY']);
    assert.equal(worker.cancelled.length, 1);
    const { windowExceeded, openStreams, abandoned } = system.core.stats();
    assert.deepEqual([windowExceeded, openStreams, abandoned], [1, 0, 1]);
    worker.chunk('late');
    worker.reply();
    assert.deepEqual([client.replies.length, system.core.stats().dropped.late], [2, 0]);
    assert.equal(worker.worker.held, 0, 'the credit returns with the last part');
  });

  it('stream: a chunk larger than the maximum is cut', () => {
    const { client, worker, submit } = make();
    submit({ window: 1e6 });
    worker.chunk(Buffer.alloc(MAX_CHUNK + 1));
    assert.deepEqual(client.codes, ['BAD_REPLY']);
  });

  it('stream: the timeout ends with the first chunk, then silence counts', () => {
    const { system, client, worker, submit } = make({ streamIdleTimeout: 2000 });
    submit({ window: 100 });
    worker.chunk('a');
    for (let index = 0; index < 5; index++) {
      system.pass(1900);
      worker.chunk('b');
    }
    assert.deepEqual(client.codes, Array(6).fill('ok'));
    system.pass(2100);
    assert.deepEqual(client.codes.at(-1), 'TIMEOUT');
    assert.match(String(client.last?.body), /silent for 2000 ms \(streamIdleTimeout\)/);
    assert.equal(worker.cancelled.length, 1);
  });

  it('stream: silence does not count while the caller takes nothing', () => {
    const { system, client, worker, submit } = make({ streamIdleTimeout: 2000 });
    const request = submit({ window: 1 });
    worker.chunk('full');
    system.pass(20_000);
    assert.deepEqual(client.codes, ['ok']);
    system.core.streams.grantReply(request, 100, system.now);
    system.pass(1900);
    assert.deepEqual(client.codes, ['ok']);
    system.pass(2300);
    assert.deepEqual(client.codes, ['ok', 'TIMEOUT']);
  });

  it('stream: server-sent events may be silent for any time', () => {
    const { system, client, worker, submit } = make({ streamIdleTimeout: 2000 });
    submit({ window: 100 });
    worker.chunk('data: 1\n\n', 'text/event-stream; charset=utf-8');
    system.pass(100_000);
    assert.deepEqual(client.codes, ['ok']);
  });

  it('stream: without a chunk it times out as other requests do', () => {
    const { system, client, submit } = make();
    submit({ window: 100 });
    system.pass(1100);
    assert.deepEqual(client.codes, ['TIMEOUT']);
  });

  it('stream: is not redispatched after its first chunk, and is before it', () => {
    const { system, client, worker, submit } = make();
    submit({ window: 100, idempotent: true });
    const second = new StreamWorker(system);
    worker.remove();
    second.chunk('a');
    assert.deepEqual(client.bodies, ['a']);
    const third = new StreamWorker(system);
    second.remove();
    assert.deepEqual([client.codes, third.sent.length], [['ok', 'WORKER_LOST'], 0]);
  });

  it('stream: a cancel reaches the worker, and later chunks are ignored', () => {
    const { system, client, worker, submit } = make();
    const request = submit({ window: 100 });
    worker.chunk('a');
    system.core.cancel(request);
    worker.chunk('b');
    worker.reply();
    assert.deepEqual([client.bodies, worker.cancelled.length], [['a'], 1]);
    assert.equal(system.core.stats().openStreams, 0);
  });

  it('stream: an earlier failure is a whole reply, a later one the last part', () => {
    const { client, worker, submit } = make();
    submit({ window: 100 });
    worker.reply({ code: 'HANDLER_ERROR', status: 500 });
    submit({ window: 100 });
    worker.chunk('a');
    worker.reply({ code: 'HANDLER_ERROR', status: 500 });
    assert.deepEqual(client.codes, ['HANDLER_ERROR', 'ok', 'HANDLER_ERROR']);
  });

  it('stream: a whole reply to a request with a window is not counted as a stream', () => {
    const { system, client, worker, submit } = make();
    submit({ window: 1 });
    worker.reply({ body: Buffer.from('large enough') });
    assert.deepEqual(client.bodies, ['large enough.']);
    assert.equal(system.core.stats().streams, 0);
  });

  it('stream: strategies and the pace of the event see the time to the first chunk', () => {
    const latencies: number[] = [];
    const strategy = {
      kind: 'routed' as const,
      name: 'first',
      pick: <T>(all: readonly T[]) => all[0],
      onReply: (_worker: unknown, latency: number) => latencies.push(latency),
    };
    const { system, worker, submit } = make({ strategy });
    submit({ window: 100 });
    system.pass(16);
    worker.chunk('a');
    system.pass(900);
    worker.reply();
    assert.deepEqual(latencies, [16]);
  });
});

describe('streamed request bodies', () => {
  it('upload: chunks pass within the grants of the worker', () => {
    const { client, worker, submit, body } = make();
    const request = submit({ window: 100, upload: true });
    worker.grant(8);
    assert.deepEqual(client.granted, [8]);
    body(request, 'aaaa');
    body(request, 'bbbb');
    worker.grant(4);
    body(request, 'cccc');
    body(request, 'd', true);
    assert.deepEqual(
      [worker.chunks, client.granted],
      [
        ['aaaa', 'bbbb', 'cccc', 'd.'],
        [8, 4],
      ],
    );
    worker.reply();
    assert.deepEqual(client.codes, ['ok']);
  });

  it('upload: a client that sends more than was granted, or after the end, is cut', () => {
    for (const [granted, parts] of [
      [0, ['x']],
      [2, ['xx', 'y']],
      [9, ['x', 'end', 'y']],
    ] as const) {
      const { system, client, worker, submit, body } = make();
      const request = submit({ window: 100, upload: true });
      if (granted > 0) worker.grant(granted);
      const drops = parts.map((part) => body(request, part, part === 'end'));
      assert.equal(drops.at(-1), 'window-exceeded');
      assert.deepEqual(client.codes, ['MALFORMED_MESSAGE']);
      assert.deepEqual([worker.cancelled.length, system.core.stats().windowExceeded], [1, 1]);
      assert.equal(body(request, 'more'), undefined, 'later chunks are ignored');
    }
  });

  it('upload: the last chunk may come before any grant, and waits for the worker', () => {
    const { worker, submit, body } = make();
    const request = submit({ window: 100, upload: true });
    body(request, 'all', true);
    assert.deepEqual(worker.chunks, []);
    worker.grant(65_536);
    assert.deepEqual(worker.chunks, ['all.']);
  });

  it('upload: chunks of the first window reach the worker that takes over', () => {
    const { system, client, worker, submit, body } = make({ workerGrace: 1000 });
    const request = submit({ window: 100, upload: true, idempotent: true });
    worker.grant(10);
    worker.remove();
    body(request, 'aaaa');
    body(request, 'bbbb');
    const second = new StreamWorker(system);
    assert.deepEqual(second.chunks, []);
    second.grant(10);
    assert.deepEqual([second.chunks, client.granted], [['aaaa', 'bbbb'], [10]]);
    second.grant(5);
    assert.deepEqual(client.granted, [10, 5]);
    second.remove();
    assert.deepEqual(client.codes, ['WORKER_LOST'], 'a chunk was forwarded');
  });

  it('upload: silence counts while the body is sent, and the timeout starts again at its end', () => {
    const { system, client, worker, submit, body } = make({ streamIdleTimeout: 3000 });
    const request = submit({ window: 100, upload: true });
    worker.grant(1000);
    for (let index = 0; index < 5; index++) {
      body(request, 'x');
      system.pass(2900);
    }
    assert.deepEqual(client.codes, []);
    body(request, 'x', true);
    system.pass(900);
    assert.deepEqual(client.codes, []);
    system.pass(200);
    assert.deepEqual(client.codes, ['TIMEOUT']);
  });

  it('upload: a silent client is cut', () => {
    const { system, client, worker, submit, body } = make({ streamIdleTimeout: 3000 });
    const request = submit({ window: 100, upload: true });
    worker.grant(1000);
    body(request, 'x');
    system.pass(3100);
    assert.match(String(client.last?.body), /silent for 3000 ms/);
    assert.equal(worker.cancelled.length, 1);
  });

  it('upload: a worker that rejects the request passes it on, unless it was sent a chunk', () => {
    const { system, client, worker, submit, body } = make();
    const request = submit({ window: 100, upload: true });
    worker.grant(10);
    body(request, 'x');
    const second = new StreamWorker(system);
    worker.reply({ code: 'BUSY', dispatched: false, status: 503 });
    assert.deepEqual([client.codes, second.sent.length], [['BUSY'], 0]);
  });
});
