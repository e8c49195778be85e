import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hadChance, isBarelyLate, isFresh, isHopeless, isLate } from '../../../../src/core/time/chance.ts';
import { Pace } from '../../../../src/core/time/pace.ts';

function paceOf(usual: number): Pace {
  const pace = new Pace();
  for (let count = 0; count < 200; count++) pace.learn(usual);
  return pace;
}

describe('Pace', () => {
  it('comes to what is measured, from below', () => {
    const pace = new Pace();
    pace.learn(100);
    assert.ok(pace.usual < 1, `${pace.usual} after one measurement`);
    for (let count = 0; count < 60; count++) pace.learn(100);
    assert.equal(pace.usual, 100);
  });

  it('is hardly moved by a few slow requests, and follows when all are', () => {
    const pace = paceOf(10);
    for (let count = 0; count < 200; count++) pace.learn(count % 10 === 0 ? 5000 : 10);
    assert.ok(pace.usual <= 12, `${pace.usual}`);
    for (let count = 0; count < 60; count++) pace.learn(5000);
    assert.equal(pace.usual, 5000);
    for (let count = 0; count < 30; count++) pace.learn(0);
    assert.ok(pace.usual < 1);
  });

  it('lies a little below the median', () => {
    const pace = new Pace();
    const seen: number[] = [];
    for (let count = 0; count < 20_000; count++) {
      pace.learn((count * 7919) % 1000);
      if (count > 1000) seen.push(pace.usual);
    }
    const mean = seen.reduce((sum, usual) => sum + usual, 0) / seen.length;
    assert.ok(mean > 250 && mean < 500, `${mean}`);
  });
});

describe('the chance of a request that waits', () => {
  const request = { enqueuedAt: 1000, deadline: 2000, pace: undefined };

  it('is measured by the share of its time that is left', () => {
    assert.deepEqual([isFresh(request, 1500), isFresh(request, 1501)], [true, false]);
    assert.deepEqual([isLate(request, 1750), isLate(request, 1751)], [false, true]);
    assert.deepEqual([isBarelyLate(request, 1875), isBarelyLate(request, 1876)], [true, false]);
    assert.deepEqual([isHopeless(request, 1999), isHopeless(request, 2000)], [false, true]);
  });

  it('and by what a handler usually takes', () => {
    const slow = { ...request, pace: paceOf(50) };
    assert.deepEqual([isHopeless(slow, 1950), isHopeless(slow, 1951)], [false, true]);
    assert.deepEqual([isLate(slow, 1600), isLate(slow, 1601)], [false, true]);
    const slower = { ...request, pace: paceOf(300) };
    assert.deepEqual([isLate(slower, 1500), isLate(slower, 1501)], [false, true]);
  });

  it('decides whether a timeout says something of the worker', () => {
    const timed = { ...request, pace: paceOf(100) };
    assert.equal(hadChance(timed, 1000), true);
    assert.equal(hadChance(timed, 1700), true);
    assert.equal(
      hadChance(timed, 1701),
      false,
      'it waited for long, and got less than three times the usual',
    );
    assert.equal(hadChance({ ...timed, deadline: 1099 }, 1000), false, 'its caller allowed too little');
    assert.equal(hadChance(request, 1999), true, 'nothing is known of its event');
  });
});
