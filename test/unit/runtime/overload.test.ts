/** The executor of a server under more load than it can run, on a fake clock. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../src/core/collections/deferred.ts';
import { makeRequest } from '../wire/messages.ts';
import { makeExecutor } from './fixture.ts';

const CONCURRENCY = 12;
/** Duration of a handler, and the time allowed for a request, in milliseconds. */
const TIME = 100;
const TIMEOUT = 2000;
const CAPACITY = (CONCURRENCY * 1000) / TIME;

/** Requests by the second of their arrival. */
interface Outcomes {
  readonly sent: number[];
  /** Successful replies before the deadline. */
  readonly ok: number[];
  readonly codes: Set<string>;
}

/** Sends the given load in requests per second. */
async function run(t: TestContext, load: readonly number[], maxQueue = 10_000): Promise<Outcomes> {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const ends: { readonly at: number; readonly end: (reply: unknown) => void }[] = [];
  const slow = (): Promise<unknown> => {
    const { promise, resolve } = withResolvers<unknown>();
    ends.push({ at: now + TIME, end: resolve });
    return promise;
  };
  const { executor } = makeExecutor({ slow }, { concurrency: CONCURRENCY, maxQueue });
  const outcomes: Outcomes = { sent: load.map(() => 0), ok: load.map(() => 0), codes: new Set() };
  const count = (of: number[], second: number): void => {
    of[second] = (of[second] ?? 0) + 1;
  };
  let due = 0;
  for (let at = 0; at < load.length * 1000 || executor.load > 0; at += 1, now += 1) {
    while ((ends[0]?.at ?? Infinity) <= now) {
      ends.shift()?.end(null);
      await turn();
    }
    const second = Math.floor(at / 1000);
    for (due += (load[second] ?? 0) / 1000; due >= 1; due -= 1) {
      const deadline = now + TIMEOUT;
      count(outcomes.sent, second);
      executor.execute(makeRequest({ eventName: 'slow', timeLeft: TIMEOUT }), ({ code }) => {
        if (code === '' && now <= deadline) count(outcomes.ok, second);
        else outcomes.codes.add(code || 'late');
      });
    }
  }
  return outcomes;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);
const seconds = (count: number, load: number): number[] => Array<number>(count).fill(load * CAPACITY);

describe('executor under overload', () => {
  it('executor under overload: runs only requests that succeed, and recovers when the load drops', async (t) => {
    const { sent, ok, codes } = await run(t, [...seconds(15, 1.3), ...seconds(6, 0.6)]);
    assert.ok(sum(ok.slice(0, 15)) >= 0.95 * 15 * CAPACITY, `${sum(ok.slice(0, 15))} succeeded`);
    assert.deepEqual(ok.slice(17), sent.slice(17), 'all that came from 2 s after the drop');
    assert.deepEqual(codes, new Set(['EXPIRED']), 'what fails was not run');
  });

  it('executor under overload: does so with a queue that is always full', async (t) => {
    const { sent, ok, codes } = await run(t, [...seconds(8, 3), ...seconds(5, 0.6)], 300);
    assert.ok(sum(ok.slice(0, 8)) >= 0.9 * 8 * CAPACITY, `${sum(ok.slice(0, 8))} succeeded`);
    assert.deepEqual(ok.slice(10), sent.slice(10));
    assert.ok(!codes.has('late'), 'what was not answered in time was not run');
  });
});
