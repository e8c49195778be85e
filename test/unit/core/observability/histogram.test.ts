import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Histogram, quantile, RECORDS, TIMES } from '../../../../src/core/observability/histogram.ts';

/** Bucket bounds of a histogram and the cumulative counts. */
function bucketsOf(distribution: Histogram): Map<number, number> {
  return new Map(distribution.buckets());
}

describe('Histogram', () => {
  it('Histogram: counts a value in every bucket whose bound it does not exceed', () => {
    const times = new Histogram(TIMES);
    for (const ms of [0, 0.25, 0.3, 1, 1.001, 8, 65_536, 1e9]) times.add(ms);
    const buckets = bucketsOf(times);
    assert.equal(buckets.get(0.00025), 2);
    assert.equal(buckets.get(0.0005), 3);
    assert.equal(buckets.get(0.001), 4);
    assert.equal(buckets.get(0.002), 5);
    assert.equal(buckets.get(0.008), 6);
    assert.equal(buckets.get(65.536), 7);
    assert.equal(buckets.get(Infinity), 8);
    assert.equal(times.count, 8);
  });

  it('Histogram: doubles its bounds, in seconds for times and unscaled for records', () => {
    const bounds = [...bucketsOf(new Histogram(TIMES)).keys()].slice(0, -1);
    for (const [index, bound] of bounds.entries()) assert.equal(bound, 0.00025 * 2 ** index);
    assert.deepEqual([...bucketsOf(new Histogram(RECORDS)).keys()].slice(0, 4), [1, 2, 4, 8]);
  });

  it('Histogram: quantiles are at most a fifth too high', () => {
    const times = new Histogram(TIMES);
    const values = Array.from({ length: 1000 }, (_, index) => (index + 1) / 10);
    for (const value of values) times.add(value);
    for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
      const exact = values[Math.ceil(values.length * share) - 1] ?? 0;
      const found = quantile(TIMES, times.counts, undefined, share) ?? 0;
      assert.ok(found >= exact && found <= exact * 1.2, `${share}: ${found} for ${exact}`);
    }
  });

  it('Histogram: computes quantiles of the values since an earlier reading', () => {
    const times = new Histogram(TIMES);
    for (let count = 0; count < 100; count += 1) times.add(1000);
    const before = times.counts.slice();
    assert.equal(quantile(TIMES, times.counts, before, 0.5), undefined);
    times.add(1);
    assert.equal(quantile(TIMES, times.counts, before, 0.99), 1);
  });
});
