/** The checker of durable requests accepts logs without violations and finds each kind of violation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDurable } from '../../soak/lib/durable-checker.ts';
import type { Entry, Final } from '../../soak/lib/log.ts';

const sent = (idempotent = false): Entry => ({ t: 'sent', id: 'a', idempotent });
const accepted: Entry = { t: 'accepted', id: 'a' };
const began = (by: string): Entry => ({ t: 'began', id: 'a', by });
const final = (state: Final['state'], code = '', by?: string): Entry => ({
  t: 'final',
  id: 'a',
  state,
  code,
  by,
});

/** Logs, and the violation in each; undefined for a log without violations. */
const CASES: readonly [what: string, log: Entry[], fault?: RegExp][] = [
  ['a success', [sent(), accepted, began('1'), final('succeeded', '', '1'), final('succeeded', '', '1')]],
  ['an unknown outcome', [sent(), accepted, began('1'), final('unknown')]],
  [
    'an idempotent request that ran again',
    [sent(true), accepted, began('1'), began('2'), final('succeeded', '', '2')],
  ],
  ['an error of the handler', [sent(), accepted, began('1'), final('failed', 'MY_OWN')]],
  ['a request that was not dispatched', [sent(), accepted, final('failed', 'NO_WORKER')]],
  ['a request without a 202 that ran nevertheless', [sent(), began('1')]],
  ['a request that never ended', [sent(), accepted, began('1')], /accepted, and never ended/],
  ['a request that was lost', [sent(), accepted, final('missing')], /accepted, and lost/],
  [
    'a state that changed',
    [sent(), accepted, final('unknown'), final('cancelled')],
    /ended as unknown, and later as cancelled/,
  ],
  [
    'a second execution',
    [sent(), accepted, began('1'), began('2'), final('unknown')],
    /ran 2 times, not idempotent/,
  ],
  [
    'a success without an execution',
    [sent(), accepted, final('succeeded', '', '1')],
    /a success without an execution/,
  ],
  [
    'an idempotent request that is unknown',
    [sent(true), accepted, final('unknown')],
    /unknown, although it may run again/,
  ],
  ['an error of a handler that did not run', [sent(), accepted, final('failed', 'MY_OWN')], /never ran/],
  ['a false report', [sent(), accepted, began('1'), final('failed', 'NO_WORKER')], /did not run, but it ran/],
  ['a request that no caller sent', [began('1')], /no caller sent it/],
];

describe('checker of durable requests', () => {
  for (const [what, log, fault] of CASES) {
    it(`durable checker: ${fault === undefined ? 'accepts' : 'finds'} ${what}`, () => {
      const { violations } = checkDurable(log);
      if (fault === undefined) assert.deepEqual(violations, []);
      else assert.match(violations.join('\n'), fault);
    });
  }

  it('durable checker: counts', () => {
    const {
      accepted: count,
      refused,
      executions,
      states,
    } = checkDurable([
      sent(),
      accepted,
      began('1'),
      final('succeeded', '', '1'),
      { t: 'sent', id: 'b', idempotent: true },
    ]);
    assert.deepEqual({ count, refused, executions }, { count: 1, refused: 1, executions: 1 });
    assert.deepEqual([...states], [['succeeded', 1]]);
  });
});
