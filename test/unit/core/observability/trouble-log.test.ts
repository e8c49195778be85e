/** When the reasons of a lasting trouble are logged. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TroubleLog } from '../../../../src/core/observability/trouble-log.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

function make() {
  const clock = new FakeClock();
  const logged: string[] = [];
  const began = clock.now();
  const trouble = new TroubleLog((reason) => void logged.push(`${clock.now() - began} ${reason}`), clock);
  return { clock, logged, trouble };
}

describe('TroubleLog', () => {
  it('TroubleLog: logs a reason at once, after 5 seconds and then every 5 minutes', () => {
    const { clock, logged, trouble } = make();
    for (let second = 0; second < 605; second += 1) {
      trouble.note('refused');
      clock.advance(1000);
    }
    assert.deepEqual(logged, ['0 refused', '5000 refused', '305000 refused', '605000 refused']);
  });

  it('TroubleLog: logs a new reason at once, and reasons that alternate once', () => {
    const { logged, trouble } = make();
    for (const reason of ['refused', 'wrong key', 'refused', 'wrong key']) trouble.note(reason);
    assert.deepEqual(logged, ['0 refused', '0 wrong key']);
    assert.equal(trouble.reason, 'wrong key');
  });

  it('TroubleLog: logs nothing further after its end, and starts again with the next reason', () => {
    const { clock, logged, trouble } = make();
    assert.equal(trouble.end(), false);
    trouble.note('refused');
    assert.equal(trouble.end(), true);
    assert.equal(trouble.reason, undefined);
    assert.equal(clock.pending, 0);
    clock.advance(6000);
    trouble.note('refused');
    assert.deepEqual(logged, ['0 refused', '6000 refused']);
  });
});
