/** The checker of outcomes accepts logs without violations and finds each kind of violation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check } from '../../soak/lib/checker.ts';
import { type Entry, NO_RESPONSE, type Settled } from '../../soak/lib/log.ts';

const sent = (id: string, idempotent = false): Entry => ({ t: 'sent', id, idempotent });
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

/** Logs, and the violation in each; undefined for a log without violations. */
const CASES: readonly [what: string, log: Entry[], fault?: RegExp][] = [
  ['a success', [sent('a'), began('a', 'w1'), settled('a', '', { by: 'w1' })]],
  ['a lost worker', [sent('a'), began('a', 'w1'), settled('a', 'WORKER_LOST', LOST)]],
  [
    'an idempotent request that ran again',
    [sent('a', true), began('a', 'w1'), began('a', 'w2'), settled('a', '', { by: 'w2' })],
  ],
  [
    'a request whose response was lost',
    [sent('a'), began('a', 'w1'), settled('a', NO_RESPONSE, { dispatched: undefined })],
  ],
  ['an error of the handler', [sent('a'), began('a', 'w1'), settled('a', 'MY_OWN', { status: 409 })]],
  ['a request that was never settled', [sent('a'), began('a', 'w1')], /never settled/],
  [
    'a request that was settled twice',
    [sent('a'), began('a', 'w1'), settled('a', '', { by: 'w1' }), settled('a', 'WORKER_LOST', LOST)],
    /settled 2 times/,
  ],
  [
    'a non-idempotent request that ran twice',
    [sent('a'), began('a', 'w1'), began('a', 'w2'), settled('a', '', { by: 'w2' })],
    /ran 2 times, not idempotent/,
  ],
  [
    'an idempotent request that ran too often',
    [sent('a', true), began('a', '1'), began('a', '2'), began('a', '3'), settled('a', '', { by: '3' })],
    /ran 3 times/,
  ],
  [
    'a request that ran and was reported as not dispatched',
    [sent('a'), began('a', 'w1'), settled('a', 'EXPIRED', { status: 504, dispatched: false })],
    /reports that the request did not run/,
  ],
  [
    'a success without an execution',
    [sent('a'), settled('a', '', { by: 'w1' })],
    /success without an execution/,
  ],
  [
    'a success that names another execution',
    [sent('a'), began('a', 'w1'), settled('a', '', { by: 'w9' })],
    /success without an execution/,
  ],
  ['an error of a handler that never ran', [sent('a'), settled('a', 'MY_OWN', { status: 409 })], /never ran/],
  [
    'a status that differs from the catalogue',
    [sent('a'), settled('a', 'NO_WORKER', { status: 500, dispatched: false })],
    /status 500, not 503/,
  ],
  [
    'a `dispatched` that differs from the catalogue',
    [sent('a'), settled('a', 'NO_WORKER', { status: 503 })],
    /has dispatched: true/,
  ],
  [
    'an execution without a request',
    [settled('a', 'NO_WORKER', { status: 503, dispatched: false })],
    /no caller sent it/,
  ],
];

describe('checker', () => {
  for (const [what, log, fault] of CASES) {
    it(`checker: ${fault === undefined ? 'accepts' : 'finds'} ${what}`, () => {
      const { violations: faults } = check(log);
      if (fault === undefined) assert.deepEqual(faults, []);
      else assert.match(faults.join('\n'), fault);
    });
  }

  it('checker: counts requests, executions and outcomes', () => {
    const log = CASES.slice(0, 6).flatMap(([, entries], index) =>
      entries.map((entry) => ({ ...entry, id: `${entry.id}${index}` })),
    );
    const {
      requests: requests,
      executions,
      lost,
      duplicated: doubled,
      rerun: repeated,
      outcomes,
    } = check(log);
    assert.deepEqual(
      { requests, executions, lost, doubled, repeated },
      { requests: 6, executions: 7, lost: 1, doubled: 0, repeated: 1 },
    );
    assert.deepEqual(
      [...outcomes],
      [
        ['ok', 2],
        ['WORKER_LOST', 1],
        [NO_RESPONSE, 1],
        ['MY_OWN', 1],
      ],
    );
  });

  it('checker: finds outcomes that no fault of the run causes', () => {
    const log = [sent('a'), settled('a', 'NO_WORKER', { status: 503, dispatched: false })];
    assert.match(
      check(log, { excludedCodes: ['NO_WORKER'] }).violations.join(),
      /which no fault of this run causes/,
    );
  });
});
