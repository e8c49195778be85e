/** How the check of the benchmarks decides: confidence intervals, judgements and further rounds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunningContender } from '../../bench/lib/contender.ts';
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
  /** A contender without processes. */
  const running = (name: string): RunningContender => ({
    contender: { name, does: '', start: () => Promise.resolve('') },
    at: '',
    processes: [],
    stop: () => Promise.resolve(),
  });
  const pairs = [{ name: 'a', reference: 'b' }];

  /** Measures with rates of `a` in turn; `b` always does 100 requests a second. */
  async function measure(rates: readonly number[], effort: Effort): Promise<readonly number[] | undefined> {
    let turn = 0;
    const apply = ({ contender }: RunningContender) => {
      const requests = contender.name === 'a' ? (rates[turn++ % rates.length] ?? 0) : 100;
      return Promise.resolve({ requests, seconds: 1, p50: 1, p99: 1, errors: 0 });
    };
    const samples = await interleave([running('a'), running('b')], apply, effort, pairs);
    return ratioTarget(samples, { name: 'a', reference: 'b' }).rounds;
  }

  const effort: Effort = { rounds: 3, seconds: 1, warmup: 0, precise: { width: 0.06, maxRounds: 9 } };

  it('end after the least number if the ratio is precise', async () => {
    assert.deepEqual(await measure([200], effort), [2, 2, 2]);
  });

  it('go on until the ratio is precise', async () => {
    const found = await measure([150, 200, 201, 200, 199, 200, 200, 200], effort);
    assert.ok(found && found.length > 3 && found.length < 9, String(found?.length));
  });

  it('end at the greatest number if it never is', async () => {
    assert.equal((await measure([100, 300], effort))?.length, 9);
  });

  it('are of the given number without a precision', async () => {
    assert.equal((await measure([100, 300], { rounds: 4, seconds: 1, warmup: 0 }))?.length, 4);
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
