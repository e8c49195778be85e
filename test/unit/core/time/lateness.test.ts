import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  cannotFinish,
  hadEnoughTime,
  isFresh,
  isLate,
  isRecentlyLate,
} from '../../../../src/core/time/lateness.ts';
import { Pace } from '../../../../src/core/time/pace.ts';

function paceOf(usual: number): Pace {
  const pace = new Pace();
  for (let count = 0; count < 200; count++) pace.record(usual);
  return pace;
}

describe('Pace', () => {
  it('Pace: approaches the measured duration from below', () => {
    const pace = new Pace();
    pace.record(100);
    assert.ok(pace.typical < 1, `${pace.typical} after one measurement`);
    for (let count = 0; count < 60; count++) pace.record(100);
    assert.equal(pace.typical, 100);
  });

  it('Pace: ignores a few slow requests and follows when all are slow', () => {
    const pace = paceOf(10);
    for (let count = 0; count < 200; count++) pace.record(count % 10 === 0 ? 5000 : 10);
    assert.ok(pace.typical <= 12, `${pace.typical}`);
    for (let count = 0; count < 60; count++) pace.record(5000);
    assert.equal(pace.typical, 5000);
    for (let count = 0; count < 30; count++) pace.record(0);
    assert.ok(pace.typical < 1);
  });

  it('Pace: stays slightly below the median', () => {
    const pace = new Pace();
    const seen: number[] = [];
    for (let count = 0; count < 20_000; count++) {
      pace.record((count * 7919) % 1000);
      if (count > 1000) seen.push(pace.typical);
    }
    const mean = seen.reduce((sum, usual) => sum + usual, 0) / seen.length;
    assert.ok(mean > 250 && mean < 500, `${mean}`);
  });
});

describe('lateness of queued requests', () => {
  const request = { enqueuedAt: 1000, deadline: 2000, pace: undefined };

  it('lateness: depends on the share of time that is left', () => {
    assert.deepEqual([isFresh(request, 1500), isFresh(request, 1501)], [true, false]);
    assert.deepEqual([isLate(request, 1750), isLate(request, 1751)], [false, true]);
    assert.deepEqual([isRecentlyLate(request, 1875), isRecentlyLate(request, 1876)], [true, false]);
    assert.deepEqual([cannotFinish(request, 1999), cannotFinish(request, 2000)], [false, true]);
  });

  it('lateness: depends on the typical duration of the handler', () => {
    const slow = { ...request, pace: paceOf(50) };
    assert.deepEqual([cannotFinish(slow, 1950), cannotFinish(slow, 1951)], [false, true]);
    assert.deepEqual([isLate(slow, 1600), isLate(slow, 1601)], [false, true]);
    const slower = { ...request, pace: paceOf(300) };
    assert.deepEqual([isLate(slower, 1500), isLate(slower, 1501)], [false, true]);
  });

  it('lateness: decides whether a timeout counts against the worker', () => {
    const timed = { ...request, pace: paceOf(100) };
    assert.equal(hadEnoughTime(timed, 1000), true);
    assert.equal(hadEnoughTime(timed, 1700), true);
    assert.equal(
      hadEnoughTime(timed, 1701),
      false,
      'it waited for long, and got less than three times the usual',
    );
    assert.equal(hadEnoughTime({ ...timed, deadline: 1099 }, 1000), false, 'its caller allowed too little');
    assert.equal(hadEnoughTime(request, 1999), true, 'nothing is known of its event');
  });
});
