/** How the check of the benchmarks decides: confidence intervals, judgements and further rounds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Contender, RunningContender } from '../../bench/lib/contender.ts';
import { type Effort, interleave, ratioTarget } from '../../bench/lib/measure.ts';
import { machineTime } from '../../bench/lib/proc-fs.ts';
import { medianInterval } from '../../bench/lib/stats.ts';
import { judgeLeast, judgeMost } from '../../bench/lib/verdict.ts';

const STEADY = [0.99, 1.0, 1.01, 1.0, 1.02];
const NOISY = [0.6, 1.4, 1.0, 0.7, 1.3];

describe('medianInterval', () => {
  it('contains the median, and is narrow for steady values and wide for noisy ones', () => {
    const steady = medianInterval(STEADY);
    const noisy = medianInterval(NOISY);
    assert.deepEqual([steady.median, noisy.median], [1.0, 1.0]);
    assert.ok(steady.low >= 0.99 && steady.high <= 1.02, JSON.stringify(steady));
    assert.ok(noisy.low <= 0.7 && noisy.high >= 1.3, JSON.stringify(noisy));
  });

  it('is the same for the same values', () => {
    assert.deepEqual(medianInterval(NOISY), medianInterval(NOISY));
  });

  it('is a point for one value', () => {
    assert.deepEqual(medianInterval([2]), { low: 2, median: 2, high: 2 });
  });
});

describe('judgements of ratios', () => {
  const verdicts = (rounds: readonly number[], limit: number): string[] => [
    judgeLeast(rounds, limit).verdict,
    judgeMost(rounds, limit).verdict,
  ];

  it('are clear if the limit is outside the interval', () => {
    assert.deepEqual(verdicts(STEADY, 0.9), ['ok', 'fell']);
    assert.deepEqual(verdicts(STEADY, 1.1), ['fell', 'ok']);
  });

  it('are unclear if the limit is inside', () => {
    assert.deepEqual(verdicts(NOISY, 0.9), ['unclear', 'unclear']);
  });
});

describe('interleaved rounds', () => {
  const pairs = [{ name: 'a', reference: 'b' }];

  /** Measures with rates of `a` in turn; `b` always does 100 requests a second. */
  async function measure(
    rates: readonly number[],
    effort: Effort,
  ): Promise<{ ratios: readonly number[] | undefined; starts: number }> {
    let turn = 0;
    let starts = 0;
    /** A contender without processes. */
    const contender = (name: string): Contender => ({
      name,
      does: '',
      start: () => {
        starts += 1;
        return Promise.resolve('');
      },
    });
    const apply = ({ contender: { name } }: RunningContender, seconds: number) => {
      const rate = name === 'a' && seconds === effort.seconds ? (rates[turn++ % rates.length] ?? 0) : 100;
      return Promise.resolve({ requests: rate * seconds, seconds, p50: 1, p99: 1, errors: 0 });
    };
    const samples = await interleave([contender('a'), contender('b')], { apply }, effort, pairs);
    return { ratios: ratioTarget(samples, { name: 'a', reference: 'b' }).rounds, starts };
  }

  const effort: Effort = { rounds: 3, seconds: 1, warmup: 0, precise: { width: 0.06, maxRounds: 9 } };

  it('end after the least number if the ratio is precise', async () => {
    assert.deepEqual(await measure([200], effort), { ratios: [2, 2, 2], starts: 2 });
  });

  it('go on until the ratio is precise', async () => {
    const { ratios } = await measure([150, 200, 201, 200, 199, 200, 200, 200], effort);
    assert.ok(ratios && ratios.length > 3 && ratios.length < 9, String(ratios?.length));
  });

  it('end at the greatest number if it never is', async () => {
    assert.equal((await measure([100, 300], effort)).ratios?.length, 9);
  });

  it('are of the given number without a precision', async () => {
    assert.equal((await measure([100, 300], { rounds: 4, seconds: 1, warmup: 0 })).ratios?.length, 4);
  });

  it('use new processes after the given number of rounds, each with a warm-up', async () => {
    const restarting: Effort = { rounds: 5, seconds: 1, warmup: 2, roundsPerStart: 2 };
    assert.deepEqual(await measure([200, 300], restarting), { ratios: [2, 3, 2, 3, 2], starts: 6 });
  });
});

describe('machineTime', () => {
  it('grows', () => {
    const before = machineTime();
    const end = performance.now() + 50;
    while (performance.now() < end);
    const after = machineTime();
    assert.ok(after.total > before.total);
    assert.ok(after.stolen >= before.stolen);
  });
});
