import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAtOnce, runInSlices, type Steps } from '../../../../src/core/time/steps.ts';

/** Work of so many steps, on a clock on which each step takes 3 ms. */
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
  it('runs at once for a caller that waits for it', () => {
    const { steps, log } = work(4);
    assert.equal(runAtOnce(steps), 'done');
    assert.deepEqual(log, ['1', '2', '3', '4']);
  });

  it('pauses after each slice of 8 ms', async () => {
    const { steps, log, now, pause } = work(7);
    assert.equal(await runInSlices(steps, { now, pause }), 'done');
    assert.deepEqual(log, ['1', '2', '3', 'pause', '4', '5', '6', 'pause', '7']);
  });

  it('gives the event loop its turn between slices', async () => {
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

  it('ends before the next slice once it is aborted, and lets the work clean up', async () => {
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

  it('rejects with what the work throws', async () => {
    function* broken(): Steps<void> {
      yield;
      throw new Error('broken');
    }
    await assert.rejects(runInSlices(broken()), /broken/);
    assert.throws(() => runAtOnce(broken()), /broken/);
  });
});
