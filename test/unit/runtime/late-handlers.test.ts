/** The line that a handler leaves whose request timed out or was cancelled. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withResolvers } from '../../../src/core/collections/deferred.ts';
import { type LogMethod, silentLogger } from '../../../src/core/logging/logging.ts';
import { cancelError } from '../../../src/core/messages/cancel-reason.ts';
import type { HandlerContext } from '../../../src/runtime/handler-context.ts';
import { FakeClock, settled } from '../../helpers/fake-clock.ts';
import { makeExecutor } from './fixture.ts';

type Line = Readonly<Record<string, unknown>> & { readonly text: string };

/** An executor with handlers that hold, follow their signal, block or fail, and its warnings. */
function scene() {
  const clock = new FakeClock();
  const lines: Line[] = [];
  const warn: LogMethod = (fields: object | string, text?: unknown): void => {
    lines.push({ ...(fields as object), text: String(text) });
  };
  const held: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = [];
  const handlers = {
    quick: () => 1,
    hold: () => {
      const { promise, resolve, reject } = withResolvers<unknown>();
      held.push({ resolve, reject });
      return promise;
    },
    follow: (_data: unknown, { signal }: HandlerContext) => once(signal),
    block: (duration: number) => clock.advance(duration),
  };
  const made = makeExecutor(handlers, { concurrency: 1000, clock, logger: { ...silentLogger, warn } });
  const request = (eventName: string, timeLeft: number, body: unknown = null) =>
    made.execute(eventName, body, { requestId: `${eventName}-1`, timeLeft });
  return { ...made, clock, lines, held, request };
}

describe('late handlers', () => {
  it('late handlers: one that settles before its deadline leaves no line', async () => {
    const { request, lines, held, clock } = scene();
    request('quick', 100);
    request('hold', 100);
    clock.advance(99);
    held[0]?.resolve(1);
    await clock.advanceAsync(20_000);
    assert.deepEqual(lines, []);
    assert.equal(clock.pending, 0, 'the watch ended with the last handler');
  });

  it('late handlers: one that settles after its request timed out leaves a line with event, id and duration', async () => {
    const { request, lines, held, clock } = scene();
    const execution = request('hold', 100);
    clock.advance(100);
    execution.cancel('expired');
    clock.advance(1150);
    held[0]?.resolve(1);
    await clock.advanceAsync(60_000);
    const text = 'a handler settled 1,150 ms after its request timed out';
    assert.deepEqual(lines, [{ event: 'hold', requestId: 'hold-1', ran: 1250, text }]);
  });

  it('late handlers: one that blocks the thread beyond its deadline leaves a line', () => {
    const { request, lines } = scene();
    request('block', 100, 250);
    const text = 'a handler settled 150 ms after its request timed out';
    assert.deepEqual(lines, [{ event: 'block', requestId: 'block-1', ran: 250, text }]);
  });

  it('late handlers: one that follows its signal leaves a line, for each reason', async () => {
    for (const [why, text] of [
      ['cancelled', 'a handler settled 0 ms after its request was cancelled'],
      ['lost', 'a handler settled 0 ms after its request lost the connection for its reply'],
    ] as const) {
      const { request, lines, clock } = scene();
      const execution = request('follow', 5000);
      clock.advance(40);
      execution.cancel(why);
      await settled();
      assert.deepEqual(lines, [{ event: 'follow', requestId: 'follow-1', ran: 40, text }]);
    }
  });

  it('late handlers: one that fails after its request ended leaves one line, with the error', async () => {
    const { request, lines, held, logged } = scene();
    const execution = request('hold', 100);
    execution.cancel('cancelled');
    const planted = new Error('planted');
    held[0]?.reject(planted);
    await settled();
    const text = 'a handler settled 0 ms after its request was cancelled';
    assert.deepEqual(lines, [{ err: planted, event: 'hold', requestId: 'hold-1', ran: 0, text }]);
    assert.deepEqual(logged, []);
  });

  it('late handlers: one that never settles leaves one line, and none when it settles after all', async () => {
    const { request, lines, held, clock } = scene();
    request('hold', 100).cancel('cancelled');
    await clock.advanceAsync(4999);
    assert.deepEqual(lines, []);
    await clock.advanceAsync(60_000);
    const text =
      'a handler has not settled 5,000 ms after its request was cancelled; it counts towards the concurrency until it does';
    assert.deepEqual(lines, [{ event: 'hold', requestId: 'hold-1', ran: 5000, text }]);
    held[0]?.resolve(1);
    await settled();
    assert.equal(lines.length, 1);
  });

  it('late handlers: one whose caller sends no cancel leaves a line after its deadline', async () => {
    const { request, lines, clock } = scene();
    request('hold', 100);
    await clock.advanceAsync(20_000);
    assert.deepEqual(
      lines.map(({ text }) => text),
      [
        'a handler has not settled 9,900 ms after its request timed out; it counts towards the concurrency until it does',
      ],
    );
  });

  it('late handlers: one without a deadline leaves a line after a minute', async () => {
    const { request, lines, held, clock } = scene();
    request('hold', 0);
    await clock.advanceAsync(59_999);
    assert.deepEqual(lines, []);
    await clock.advanceAsync(60_000);
    const text = 'a handler has not settled for 60,000 ms; its request has no deadline';
    assert.deepEqual(lines, [{ event: 'hold', requestId: 'hold-1', ran: 60_000, text }]);
    held[0]?.resolve(1);
    await settled();
    assert.equal(lines.length, 1);
  });

  it('late handlers: those that run when the node closes leave a line', async () => {
    const { request, lines, held, clock, executor } = scene();
    request('hold', 1000);
    clock.advance(10);
    executor.close(cancelError('stopped'));
    held[0]?.resolve(1);
    await clock.advanceAsync(60_000);
    const text = 'a handler had not settled when its node closed';
    assert.deepEqual(lines, [{ event: 'hold', requestId: 'hold-1', ran: 10, text }]);
  });

  it('late handlers: hundreds leave ten lines and one with their number per event', async () => {
    const { request, lines, clock } = scene();
    for (let count = 0; count < 300; count += 1) request('follow', 5000).cancel('cancelled');
    for (let count = 0; count < 100; count += 1) request('hold', 5000).cancel('cancelled');
    await clock.advanceAsync(9999);
    assert.equal(lines.length, 10);
    await clock.advanceAsync(1);
    assert.deepEqual(lines.slice(10), [
      { count: 390, events: { follow: 290, hold: 100 }, text: 'more handlers settled late or not at all' },
    ]);
    request('follow', 5000).cancel('cancelled');
    await settled();
    assert.equal(lines.length, 12, 'the next period has lines of its own');
  });

  it('late handlers: a logger that throws does not prevent the reply', async () => {
    const { replies, execute } = makeExecutor(
      { late: (_data: unknown, { signal }: HandlerContext) => once(signal) },
      {
        logger: {
          ...silentLogger,
          warn: () => {
            throw new Error('planted');
          },
        },
      },
    );
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    execute('late', null, { timeLeft: 10_000 }).cancel('cancelled');
    assert.match((await warned).message, /planted/);
    assert.equal(replies[0]?.code, 'CANCELLED');
  });
});

function once(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error)),
  );
}
