import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import { ReplyError } from '../../../../src/core/messages/errors.ts';
import type { HandlerContext } from '../../../../src/index.ts';
import { reply } from '../../../../src/runtime/reply.ts';
import { event } from '../../../../src/runtime/streams/event.ts';
import { stream } from '../../../../src/runtime/streams/stream.ts';
import { within } from '../../../helpers/eventually.ts';
import { makeStreams, shape } from './fixture.ts';

const KIB64 = 64 * 1024;
const BAD = '=BAD_REPLY';

describe('replies as streams', () => {
  it('stream: the first chunk has status, headers and type, and the last part ends it', async () => {
    const { send } = makeStreams({
      rows: () =>
        stream(['a\n', 'b\n'], { status: 203, headers: { 'X-Rows': '2' }, contentType: 'text/csv' }),
    });
    const caller = send('rows');
    await caller.last;
    const [first, last] = caller.parts;
    assert.deepEqual(
      [first?.status, first?.contentType, String(first?.extras)],
      [203, 'text/csv', '{"headers":{"x-rows":"2","content-type":"text/csv"}}'],
    );
    assert.deepEqual([last?.code, last?.more, last?.dispatched, caller.text], ['', false, true, 'a\nb\n']);
  });

  it('stream: takes every kind of source', async () => {
    const { send } = makeStreams({
      generator: async function* () {
        yield 'ab';
      },
      sync: function* () {
        yield Promise.resolve('a');
        yield 'b';
      },
      promised: async () =>
        (async function* () {
          yield 'ab';
        })(),
      node: () => Readable.from(['a', 'b']),
      web: () => new Blob(['ab']).stream(),
      list: () => stream(['a', 'b']),
      buffer: () => stream(Buffer.from('ab')),
      reply: () =>
        reply(
          200,
          (async function* () {
            yield 'ab';
          })(),
          { 'content-type': 'text/x' },
        ),
    });
    for (const name of ['generator', 'sync', 'promised', 'node', 'web', 'list', 'buffer', 'reply']) {
      const caller = send(name);
      await caller.last;
      assert.equal(caller.text, 'ab', name);
      assert.deepEqual(caller.parts.map(({ code }) => code).join(''), '', name);
    }
  });

  it('stream: an empty source is a stream without bytes', async () => {
    const { send } = makeStreams({ none: async function* () {} });
    const caller = send('none');
    await caller.last;
    assert.deepEqual([shape(caller), caller.parts[0]?.contentType], [['+0', '=0'], 'application/x-ndjson']);
  });

  it('stream: items that are yielded without waiting share a chunk, others are not delayed', async () => {
    const next = withResolvers();
    const { send } = makeStreams({
      items: async function* () {
        yield* [1, 2, 3];
        await next.promise;
        yield 4;
      },
    });
    const caller = send('items');
    await caller.arrived(1);
    assert.equal(caller.text, '1\n2\n3\n');
    next.resolve();
    await caller.last;
    assert.deepEqual([shape(caller), caller.text], [['+6', '=2'], '1\n2\n3\n4\n']);
  });

  it('stream: 100,000 tiny events arrive in order, in chunks that end between events', async () => {
    const { send } = makeStreams({
      events: async function* () {
        for (let id = 0; id < 100_000; id += 1) yield event({ id, data: 'ü' });
      },
    });
    const caller = send('events');
    await caller.last;
    for (const { body } of caller.parts) {
      assert.ok(body.length <= KIB64);
      assert.ok(body.length === 0 || body.toString().endsWith('\n\n'));
    }
    const ids = caller.text
      .split('\n\n')
      .slice(0, -1)
      .map((text) => Number(/^id: (\d+)\ndata: ü$/.exec(text)?.[1]));
    assert.deepEqual([ids.length, ids.every((id, index) => id === index)], [100_000, true]);
    assert.ok(caller.parts.length < 100, `${caller.parts.length} chunks`);
  });

  it('stream: large bytes are divided, bytes of one each are kept, zeros included', async () => {
    const large = Buffer.alloc(200_000, 0);
    const ones = Array.from({ length: 300 }, (_, index) => Buffer.from([index % 256]));
    const { send } = makeStreams({
      large: () => stream([large]),
      ones: async function* () {
        for (const one of ones) {
          yield one;
          await turn();
        }
      },
    });
    const [one, other] = [send('large'), send('ones')];
    await Promise.all([one.last, other.last]);
    assert.deepEqual(shape(one), ['+65536', '+65536', '+65536', '+3392', '=0']);
    assert.ok(one.bytes.equals(large));
    assert.ok(other.bytes.equals(Buffer.concat(ones)));
  });
});

describe('windows of replies', () => {
  /** A handler that yields `size` bytes forever, and counts. */
  function endless(size: number) {
    const counts = { pulled: 0, ended: false };
    const handler = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          counts.pulled += 1;
          yield Buffer.alloc(size);
        }
      } finally {
        counts.ended = true;
      }
    };
    return { counts, handler };
  }

  it('window: a caller that does not read stops the generator', async () => {
    const { counts, handler } = endless(1000);
    const { send } = makeStreams({ handler });
    const caller = send('handler', { window: 10_000, grants: false });
    for (let turns = 0; turns < 20; turns += 1) await turn();
    assert.deepEqual([counts.pulled, caller.bytes.length], [10, 10_000]);
    caller.execution.window(5000);
    for (let turns = 0; turns < 20; turns += 1) await turn();
    assert.deepEqual([counts.pulled, caller.bytes.length], [15, 15_000]);
    caller.execution.cancel('cancelled');
    await caller.last;
    assert.equal(counts.ended, true);
  });

  it('window: grants that arrive before the handler answers count', async () => {
    const open = withResolvers();
    const { counts, handler } = endless(1000);
    const { send } = makeStreams({
      handler: async () => {
        await open.promise;
        return handler();
      },
    });
    const caller = send('handler', { window: 1000, grants: false });
    caller.execution.window(4000);
    open.resolve();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    assert.deepEqual([counts.pulled, caller.bytes.length], [5, 5000]);
    caller.execution.cancel('cancelled');
    await caller.last;
  });

  it('window: an item is never divided because of the window', async () => {
    const text = 'x'.repeat(50_000);
    const { send } = makeStreams({ lines: () => stream([text, text], { contentType: 'application/jsonl' }) });
    const caller = send('lines', { window: 10, grants: true });
    await caller.last;
    assert.deepEqual(shape(caller), ['+50003', '+50003', '=0']);
  });

  it('window: a generator that never waits leaves turns to others', async () => {
    const { counts, handler } = endless(KIB64);
    const { send } = makeStreams({ handler });
    const caller = send('handler');
    for (let turns = 0; turns < 5; turns += 1) await turn();
    caller.execution.cancel('cancelled');
    await caller.last;
    assert.ok(counts.pulled < 100, `${counts.pulled} items in 5 turns`);
  });

  it('window: without one, the caller gets a whole reply, up to the limit', async () => {
    const { send, logged } = makeStreams(
      { lines: (count: number) => stream(Array.from({ length: count }, (_, index) => ({ index }))) },
      { maxReplyBytes: 1000 },
    );
    const [small, large] = [send('lines', { window: 0, data: 2 }), send('lines', { window: 0, data: 100 })];
    await Promise.all([small.last, large.last]);
    assert.deepEqual(
      [shape(small), small.parts[0]?.contentType, small.text],
      [['=24'], 'application/x-ndjson', '{"index":0}\n{"index":1}\n'],
    );
    assert.deepEqual(shape(large), [BAD]);
    assert.match(logged.join(), /more than 1000 bytes, and the caller takes no streams/);
  });
});

describe('failures of streams', () => {
  it('failure: before the first chunk it is an ordinary reply, afterwards the code of the last part', async () => {
    const { send, logged } = makeStreams({
      early: async function* () {
        throw new ReplyError(404, 'NOT_FOUND', 'no such thing');
      },
      late: async function* () {
        yield 'a';
        throw new ReplyError(409, 'GONE_BAD', 'no more');
      },
      broken: async function* () {
        yield 'a';
        await turn();
        throw new Error('secret');
      },
    });
    const [early, late, broken] = ['early', 'late', 'broken'].map((name) => send(name));
    await Promise.all([early?.last, late?.last, broken?.last]);
    assert.deepEqual(
      [early, late, broken].map((caller) => caller && shape(caller)),
      [['=NOT_FOUND'], ['+1', '=GONE_BAD'], ['+1', '=HANDLER_ERROR']],
    );
    assert.deepEqual([early?.parts[0]?.status, late?.parts[1]?.status], [404, 409]);
    assert.ok(!String(broken?.parts[1]?.body).includes('secret'));
    assert.deepEqual(logged, ['a handler failed']);
  });

  it('failure: an item that cannot be sent ends the stream and its generator', async () => {
    let ended = 0;
    const wrong = async function* (item: unknown) {
      try {
        yield 'a';
        yield item;
        yield 'never';
      } finally {
        ended += 1;
      }
    };
    const { send, executor } = makeStreams({
      bytes: () => wrong({}),
      lines: () => stream(wrong(NaN), { contentType: 'application/jsonl' }),
    });
    const [bytes, lines] = [send('bytes'), send('lines')];
    await Promise.all([bytes.last, lines.last]);
    assert.deepEqual(
      [shape(bytes), shape(lines)],
      [
        ['+1', BAD],
        ['+4', BAD],
      ],
    );
    await turn();
    assert.deepEqual([ended, executor.load], [2, 0]);
  });

  it('failure: a stream must be as long as its content-length', async () => {
    const of = (length: number, ...items: string[]) =>
      stream(items, { headers: { 'Content-Length': String(length) } });
    const { send } = makeStreams({
      short: () => of(3, 'ab'),
      long: () => of(3, 'ab', 'cd'),
      right: () => of(4, 'ab', 'cd'),
    });
    const callers = ['short', 'long', 'right'].map((name) => send(name));
    await Promise.all(callers.map(({ last }) => last));
    assert.deepEqual(
      callers.map((caller) => shape(caller).at(-1)),
      [BAD, BAD, '=0'],
    );
    assert.equal(callers[0]?.text.startsWith('ab'), true);
  });

  it('failure: invalid sources and heads are reported like other replies', async () => {
    assert.throws(() => stream(7 as never), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => stream([], { status: 99 }), { code: 'INVALID_ARGUMENT' });
    const locked = new Blob(['a']).stream();
    locked.getReader();
    const { send } = makeStreams({
      locked: () => stream(locked),
      headers: () => stream(['a'], { headers: { a: 'x'.repeat(100_000) } }),
    });
    for (const name of ['locked', 'headers']) assert.equal((await send(name).last).code, 'BAD_REPLY', name);
  });
});

describe('the end of streams', () => {
  it('cancel: aborts the signal, ends the generator and answers once it has ended', async () => {
    const seen: string[] = [];
    const cleaned = withResolvers();
    const { send, executor, logged } = makeStreams({
      ticks: async function* (_data, { signal }: HandlerContext) {
        signal.addEventListener('abort', () => seen.push((signal.reason as Error).name));
        try {
          for (;;) yield Buffer.alloc(10);
        } finally {
          await cleaned.promise;
          seen.push('cleaned');
        }
      },
    });
    const caller = send('ticks', { window: 100, grants: false });
    await caller.arrived(1);
    caller.execution.cancel('lost');
    await turn();
    assert.deepEqual([seen, executor.load], [['AbortError'], 1]);
    cleaned.resolve();
    assert.equal((await caller.last).code, 'CANCELLED');
    assert.deepEqual([seen, executor.load, logged], [['AbortError', 'cleaned'], 0, []]);
  });

  it('cancel: before the handler has answered, its generator never runs', async () => {
    const answer = withResolvers();
    let ran = false;
    const { send } = makeStreams({
      later: async () => {
        await answer.promise;
        return (async function* () {
          ran = true;
          yield 1;
        })();
      },
    });
    const caller = send('later');
    caller.execution.cancel('cancelled');
    answer.resolve();
    assert.deepEqual([(await caller.last).code, shape(caller), ran], ['CANCELLED', ['=CANCELLED'], false]);
  });

  it('cancel: ends Node.js and web streams that wait for data', async () => {
    let cancelled = false;
    const node = new Readable({ read: () => undefined });
    const web = new ReadableStream({
      cancel: () => {
        cancelled = true;
      },
    });
    const { send } = makeStreams({ node: () => node, web: () => web });
    const callers = [send('node'), send('web')];
    await turn();
    for (const { execution } of callers) execution.cancel('cancelled');
    for (const { last } of callers) assert.equal((await within(last, 'the end')).code, 'CANCELLED');
    assert.deepEqual([node.destroyed, cancelled], [true, true]);
  });

  it('cancel: a generator that ignores it is logged like a late handler', async () => {
    const stuck = withResolvers();
    const { send, executor, logged, clock } = makeStreams({
      stuck: async function* () {
        yield 1;
        await stuck.promise;
        yield 2;
      },
    });
    const caller = send('stuck');
    await caller.arrived(1);
    caller.execution.cancel('cancelled');
    clock.advance(10_000);
    clock.advance(10_000);
    assert.match(logged.join(), /a handler has not settled .* after its request was cancelled/);
    stuck.resolve();
    await caller.last;
    await turn();
    assert.deepEqual([executor.load, caller.text.startsWith('1\n{"error"')], [0, true]);
  });

  it('cancel: an error in a finally block is logged and changes nothing else', async () => {
    const { send, logged } = makeStreams({
      failing: async function* () {
        try {
          for (;;) yield 1;
        } finally {
          throw new Error('cannot clean up');
        }
      },
    });
    const caller = send('failing', { window: 10, grants: false });
    await caller.arrived(1);
    caller.execution.cancel('cancelled');
    assert.equal((await caller.last).code, 'CANCELLED');
    assert.match(logged.join(), /a handler settled .* after its request was cancelled/);
  });

  it('deadline: applies until the first chunk only', async () => {
    const next = withResolvers();
    const left: number[] = [];
    const { send, clock } = makeStreams({
      slow: async function* (_data, { timeLeft, signal }: HandlerContext) {
        left.push(timeLeft());
        yield 1;
        await next.promise;
        left.push(timeLeft());
        yield signal.aborted;
      },
    });
    const caller = send('slow', { timeLeft: 5000 });
    await caller.arrived(1);
    clock.advance(60_000);
    next.resolve();
    await caller.last;
    assert.deepEqual([left, caller.text], [[5000, Infinity], '1\nfalse\n']);
  });

  it('silence: the headers of an event stream are sent after a second, or half of the time left', async () => {
    const stuck = withResolvers();
    const quiet = async function* () {
      await stuck.promise;
      yield event({ data: 1 });
    };
    const { send, clock } = makeStreams({
      quiet: () => stream(quiet(), { contentType: 'text/event-stream' }),
    });
    const [long, short] = [send('quiet', { timeLeft: 5000 }), send('quiet', { timeLeft: 800 })];
    await turn();
    clock.advance(400);
    assert.deepEqual([shape(long), shape(short)], [[], ['+0']]);
    clock.advance(600);
    assert.deepEqual(shape(long), ['+0']);
    stuck.resolve();
    await Promise.all([long.last, short.last]);
    assert.deepEqual([long.text, short.text], ['data: 1\n\n', 'data: 1\n\n']);
    assert.equal(clock.pending, 1, 'the timer of late handlers');
  });

  it('head: sends status and headers, and ends the generator', async () => {
    let runs = 0;
    let ended = 0;
    const items = async function* () {
      try {
        runs += 1;
        yield 'a';
      } finally {
        ended += 1;
      }
    };
    const { send } = makeStreams({
      bare: items,
      typed: () => stream(items(), { contentType: 'image/png', headers: { 'content-length': '7' } }),
      missing: async function* () {
        throw new ReplyError(404, 'NOT_FOUND', 'no such thing');
      },
    });
    const extras = { method: 'HEAD' };
    const callers = ['bare', 'typed', 'missing'].map((name) => send(name, { extras }));
    const whole = send('typed', { extras, window: 0 });
    await Promise.all([...callers, whole].map(({ last }) => last));
    assert.deepEqual(callers.map(shape), [['+0', '=0'], ['+0', '=0'], ['=NOT_FOUND']]);
    assert.deepEqual([callers[0]?.parts[0]?.contentType, runs, ended], ['text/plain; charset=utf-8', 1, 1]);
    assert.deepEqual(
      [shape(whole), String(whole.parts[0]?.extras).includes('"content-length":"7"')],
      [['=0'], true],
    );
  });
});

describe('streams and the executor', () => {
  it('slots: a stream uses none after its first chunk, up to maxStreams', async () => {
    const end = withResolvers();
    const { send } = makeStreams(
      {
        watch: async function* () {
          yield 1;
          await end.promise;
        },
        echo: (value: unknown) => value,
      },
      { concurrency: 1, maxStreams: 2 },
    );
    const [one, two] = [send('watch'), send('watch')];
    await Promise.all([one.arrived(1), two.arrived(1)]);
    const three = send('watch');
    await three.arrived(1);
    const echo = send('echo', { data: 7 });
    await turn();
    assert.deepEqual(shape(echo), [], 'the third stream uses the slot');
    end.resolve();
    await Promise.all([one.last, two.last, three.last]);
    assert.equal((await echo.last).code, '');
  });

  it('drain: event streams end with a retry, other streams run on', async () => {
    const end = withResolvers();
    const { send, executor } = makeStreams({
      events: async function* (_data, { signal }: HandlerContext) {
        yield event({ data: 1 });
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
      bytes: async function* () {
        yield 'a';
        await end.promise;
        yield 'b';
      },
    });
    const [events, bytes] = [send('events'), send('bytes')];
    await Promise.all([events.arrived(1), bytes.arrived(1)]);
    const drained = executor.drained();
    assert.equal((await within(events.last, 'the end of the event stream')).code, '');
    const [, retry] = /^data: 1\n\nretry: (\d+)\n\n$/.exec(events.text) ?? [];
    assert.ok(Number(retry) >= 1000 && Number(retry) <= 5000, events.text);
    assert.deepEqual(shape(bytes), ['+1']);
    end.resolve();
    await within(drained, 'the end of the byte stream');
    assert.equal(bytes.text, 'ab');
  });

  it('close: aborts running streams', async () => {
    let ended = false;
    const { send, executor } = makeStreams({
      watch: async function* () {
        try {
          for (;;) yield Buffer.alloc(10);
        } finally {
          ended = true;
        }
      },
    });
    const caller = send('watch', { window: 10, grants: false });
    await caller.arrived(1);
    executor.close(new Error('the node closes'));
    assert.equal((await caller.last).code, 'CANCELLED');
    assert.equal(ended, true);
  });

  it('timing: the first chunk has the times of the handler', async () => {
    const { send } = makeStreams({ two: () => stream(['a'.repeat(KIB64), 'b']) });
    const caller = send('two', { extras: { timing: 5000 } });
    await caller.last;
    const [first, ...others] = caller.parts.map(({ extras }) => String(extras));
    assert.match(first ?? '', /"timing":\{"queue":[\d.]+,"handler":[\d.]+\}/);
    assert.deepEqual(new Set(others), new Set(['']));
  });

  it('contract: decides the media type of a stream, and checks its items', async () => {
    const check = (item: unknown): string | undefined =>
      typeof item === 'number' ? undefined : 'must be a number';
    const streams = new Map([['numbers', { contentType: 'text/event-stream', check }]]);
    const { send, logged } = makeStreams(
      {
        numbers: async function* () {
          yield 1;
          yield 'two';
        },
      },
      { streams },
    );
    const caller = send('numbers');
    await caller.last;
    assert.deepEqual([caller.parts[0]?.contentType, shape(caller)], ['text/event-stream', ['+9', BAD]]);
    assert.match(logged.join(), /breaks the contract: must be a number/);
  });
});
