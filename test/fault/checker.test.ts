/**
 * The checker of the fault tests finds each kind of violation. Otherwise every fault test would
 * pass.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check } from '../../soak/lib/checker.ts';
import { type Entry, NO_ANSWER, type Settled } from '../../soak/lib/log.ts';

const asked = (id: string, idempotent = false): Entry => ({ t: 'asked', id, idempotent });
const began = (id: string, by: string): Entry => ({ t: 'began', id, by });
const settled = (id: string, code: string, members: Partial<Settled> = {}): Entry => ({
  t: 'settled',
  id,
  code,
  status: 200,
  dispatched: true,
  ...members,
});
const LOST = { status: 502, dispatched: true } as const;

/** The log of each case, and the violation in it, if any. */
const CASES: readonly [what: string, log: Entry[], fault?: RegExp][] = [
  ['a success', [asked('a'), began('a', 'w1'), settled('a', '', { by: 'w1' })]],
  ['a lost worker', [asked('a'), began('a', 'w1'), settled('a', 'WORKER_LOST', LOST)]],
  [
    'an idempotent request that was redispatched',
    [asked('a', true), began('a', 'w1'), began('a', 'w2'), settled('a', '', { by: 'w2' })],
  ],
  [
    'a request whose client does not know whether it ran',
    [asked('a'), began('a', 'w1'), settled('a', NO_ANSWER, { dispatched: undefined })],
  ],
  ['an error of the handler', [asked('a'), began('a', 'w1'), settled('a', 'MY_OWN', { status: 409 })]],
  ['a request that was never settled', [asked('a'), began('a', 'w1')], /never settled/],
  [
    'a request that was settled twice',
    [asked('a'), began('a', 'w1'), settled('a', '', { by: 'w1' }), settled('a', 'WORKER_LOST', LOST)],
    /settled 2 times/,
  ],
  [
    'a request that is not idempotent and ran twice',
    [asked('a'), began('a', 'w1'), began('a', 'w2'), settled('a', '', { by: 'w2' })],
    /ran 2 times, not idempotent/,
  ],
  [
    'an idempotent request that ran three times',
    [asked('a', true), began('a', '1'), began('a', '2'), began('a', '3'), settled('a', '', { by: '3' })],
    /ran 3 times/,
  ],
  [
    'a request that ran and was reported as not run',
    [asked('a'), began('a', 'w1'), settled('a', 'EXPIRED', { status: 504, dispatched: false })],
    /says that it did not run/,
  ],
  [
    'a success without an execution',
    [asked('a'), settled('a', '', { by: 'w1' })],
    /success without an execution/,
  ],
  [
    'a success reported by a worker that did not run the request',
    [asked('a'), began('a', 'w1'), settled('a', '', { by: 'w9' })],
    /success without an execution/,
  ],
  [
    'an error of a handler that did not run',
    [asked('a'), settled('a', 'MY_OWN', { status: 409 })],
    /never ran/,
  ],
  [
    'a status that differs from the outcome table',
    [asked('a'), settled('a', 'NO_WORKER', { status: 500, dispatched: false })],
    /status 500, not 503/,
  ],
  [
    'a value of `dispatched` that differs from the outcome table',
    [asked('a'), settled('a', 'NO_WORKER', { status: 503 })],
    /says dispatched: true/,
  ],
  [
    'an outcome of an unknown request',
    [settled('a', 'NO_WORKER', { status: 503, dispatched: false })],
    /nobody asked/,
  ],
];

describe('checker', () => {
  for (const [what, log, fault] of CASES) {
    it(`checker: ${fault === undefined ? 'accepts' : 'finds'} ${what}`, () => {
      const { faults } = check(log);
      if (fault === undefined) assert.deepEqual(faults, []);
      else assert.match(faults.join('\n'), fault);
    });
  }

  it('checker: counts requests, executions and outcomes', () => {
    const log = CASES.slice(0, 6).flatMap(([, entries], index) =>
      entries.map((entry) => ({ ...entry, id: `${entry.id}${index}` })),
    );
    const { asked: requests, executions, lost, doubled, repeated, outcomes } = check(log);
    assert.deepEqual(
      { requests, executions, lost, doubled, repeated },
      { requests: 6, executions: 7, lost: 1, doubled: 0, repeated: 1 },
    );
    assert.deepEqual(
      [...outcomes],
      [
        ['ok', 2],
        ['WORKER_LOST', 1],
        [NO_ANSWER, 1],
        ['MY_OWN', 1],
      ],
    );
  });

  it('checker: finds an outcome that the test excludes', () => {
    const log = [asked('a'), settled('a', 'NO_WORKER', { status: 503, dispatched: false })];
    assert.match(check(log, { never: ['NO_WORKER'] }).faults.join(), /nothing here brings it about/);
  });
});
