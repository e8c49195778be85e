import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientAllowance, resolveClientLimits } from '../../../../src/router/broker/client-limits.ts';

describe('limits of a client', () => {
  it('client limits: limit the requests in flight', () => {
    const allowance = new ClientAllowance(resolveClientLimits({ maxInFlight: 2 }), 0);
    assert.equal(allowance.admit(1, 0), undefined);
    assert.equal(allowance.admit(2, 0)?.code, 'BUSY');
  });

  it('client limits: limit the rate and allow bursts', () => {
    const allowance = new ClientAllowance(resolveClientLimits({ rate: 10, burst: 3 }), 0);
    const passed = (now: number, tries = 10): number =>
      Array.from({ length: tries }, () => allowance.admit(0, now)).filter((refusal) => refusal === undefined)
        .length;
    assert.equal(passed(0), 3);
    assert.equal(passed(50), 0);
    assert.equal(passed(100), 1);
    assert.equal(passed(10_000), 3);
  });

  it('client limits: the default burst is one second of the rate', () => {
    assert.deepEqual(resolveClientLimits({ rate: 50 }), { maxInFlight: 100_000, rate: 50, burst: 50 });
    assert.equal(resolveClientLimits().rate, Infinity);
  });

  it('client limits: an invalid limit is rejected by name', () => {
    for (const limits of [
      { maxInFlight: 0 },
      { rate: 0 },
      { rate: Number.NaN },
      { burst: 0.5 },
      { rate: '5' },
    ]) {
      const [name = ''] = Object.keys(limits);
      assert.throws(
        () => resolveClientLimits(limits as object),
        new RegExp(`clientLimits\\.${name} must be`),
      );
    }
  });
});
