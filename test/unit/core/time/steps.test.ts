import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAtOnce, runInSlices, type Steps } from '../../../../src/core/time/steps.ts';

/** Work of a number of steps, on a clock that advances 3 ms per step. */
function work(count: number) {
  const log: string[] = [];
  let time = 0;
  let cleaned = false;
  function* steps(): Steps<string> {
    try {
      for (let step = 1; step <= count; step += 1) {
        time += 3;
        log.push(String(step));
        yield;
      }
      return 'done';
    } finally {
      cleaned = true;
    }
  }
  const pause = (): Promise<void> => {
    log.push('pause');
    return Promise.resolve();
  };
  return { log, steps: steps(), now: () => time, pause, cleaned: () => cleaned };
}

describe('work in steps', () => {
  it('runAtOnce: runs all steps synchronously', () => {
    const { steps, log } = work(4);
    assert.equal(runAtOnce(steps), 'done');
    assert.deepEqual(log, ['1', '2', '3', '4']);
  });

  it('runInSlices: pauses after each slice of 8 ms', async () => {
    const { steps, log, now, pause } = work(7);
    assert.equal(await runInSlices(steps, { now, pause }), 'done');
    assert.deepEqual(log, ['1', '2', '3', 'pause', '4', '5', '6', 'pause', '7']);
  });

  it('runInSlices: yields to the event loop between slices', async () => {
    const { steps, now } = work(9);
    let turns = 0;
    let going = true;
    const tick = (): void => {
      turns += 1;
      if (going) setImmediate(tick);
    };
    setImmediate(tick);
    await runInSlices(steps, { now });
    going = false;
    assert.ok(turns >= 2, `${turns} turns`);
  });

  it('runInSlices: an abort ends the work before the next slice and runs its cleanup', async () => {
    const abort = new AbortController();
    const { steps, log, now, cleaned } = work(100);
    const pause = (): Promise<void> => {
      abort.abort(new Error('not wanted'));
      return Promise.resolve();
    };
    await assert.rejects(runInSlices(steps, { now, pause, signal: abort.signal }), /not wanted/);
    assert.deepEqual(log, ['1', '2', '3']);
    assert.equal(cleaned(), true);
  });

  it('runInSlices: rejects with the error of the work', async () => {
    function* broken(): Steps<void> {
      yield;
      throw new Error('broken');
    }
    await assert.rejects(runInSlices(broken()), /broken/);
    assert.throws(() => runAtOnce(broken()), /broken/);
  });
});
