/** The checker finds what it is there to find: else every fault script would pass. */
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

/** What must be found in each log; nothing where our word was kept. */
const CASES: readonly [what: string, log: Entry[], fault?: RegExp][] = [
  ['a success', [asked('a'), began('a', 'w1'), settled('a', '', { by: 'w1' })]],
  ['a lost worker', [asked('a'), began('a', 'w1'), settled('a', 'WORKER_LOST', LOST)]],
  [
    'an idempotent request that ran again',
    [asked('a', true), began('a', 'w1'), began('a', 'w2'), settled('a', '', { by: 'w2' })],
  ],
  [
    'a request of which nobody knows',
    [asked('a'), began('a', 'w1'), settled('a', NO_ANSWER, { dispatched: undefined })],
  ],
  ['an error of the handler', [asked('a'), began('a', 'w1'), settled('a', 'MY_OWN', { status: 409 })]],
  ['one that was never settled', [asked('a'), began('a', 'w1')], /never settled/],
  [
    'one that was settled twice',
    [asked('a'), began('a', 'w1'), settled('a', '', { by: 'w1' }), settled('a', 'WORKER_LOST', LOST)],
    /settled 2 times/,
  ],
  [
    'one that ran twice',
    [asked('a'), began('a', 'w1'), began('a', 'w2'), settled('a', '', { by: 'w2' })],
    /ran 2 times, not idempotent/,
  ],
  [
    'one that ran too often',
    [asked('a', true), began('a', '1'), began('a', '2'), began('a', '3'), settled('a', '', { by: '3' })],
    /ran 3 times/,
  ],
  [
    'one that ran and is said not to have',
    [asked('a'), began('a', 'w1'), settled('a', 'EXPIRED', { status: 504, dispatched: false })],
    /says that it did not run/,
  ],
  ['a success of nobody', [asked('a'), settled('a', '', { by: 'w1' })], /success without an execution/],
  [
    "another one's reply",
    [asked('a'), began('a', 'w1'), settled('a', '', { by: 'w9' })],
    /success without an execution/,
  ],
  [
    'an error of a handler that never ran',
    [asked('a'), settled('a', 'MY_OWN', { status: 409 })],
    /never ran/,
  ],
  [
    'a status off the table',
    [asked('a'), settled('a', 'NO_WORKER', { status: 500, dispatched: false })],
    /status 500, not 503/,
  ],
  [
    '`dispatched` off the table',
    [asked('a'), settled('a', 'NO_WORKER', { status: 503 })],
    /says dispatched: true/,
  ],
  ['one that nobody asked', [settled('a', 'NO_WORKER', { status: 503, dispatched: false })], /nobody asked/],
];

describe('the checker', () => {
  for (const [what, log, fault] of CASES) {
    it(`${fault === undefined ? 'lets pass' : 'finds'} ${what}`, () => {
      const { faults } = check(log);
      if (fault === undefined) assert.deepEqual(faults, []);
      else assert.match(faults.join('\n'), fault);
    });
  }

  it('counts', () => {
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

  it('holds outcomes against what may come up', () => {
    const log = [asked('a'), settled('a', 'NO_WORKER', { status: 503, dispatched: false })];
    assert.match(check(log, { never: ['NO_WORKER'] }).faults.join(), /nothing here brings it about/);
  });
});
