import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  controlData,
  controlFrames,
  isControl,
  MAX_CONTROL_BYTES,
  MAX_EVENTS,
  readHello,
} from '../../../src/wire/control.ts';

const GOOD = { v: 1, pack: 1, concurrency: 4 };

describe('control messages', () => {
  it('are known by their first two frames', () => {
    assert.ok(isControl(controlFrames('$bye', {}), 0));
    assert.ok(isControl([Buffer.from('identity'), ...controlFrames('$bye', {})], 1));
    assert.ok(!isControl([Buffer.from('$$'), Buffer.alloc(0)], 0));
    assert.ok(!isControl([Buffer.from('$'), Buffer.from('x')], 0));
  });

  it('have an object as data', () => {
    assert.deepEqual(controlData(controlFrames('$refused', { reason: 'x' })[3]), { reason: 'x' });
    for (const text of ['[]', 'null', '5', '{"a"', ''])
      assert.equal(controlData(Buffer.from(text)), undefined, text);
    assert.equal(controlData(undefined), undefined);
    assert.equal(controlData(Buffer.alloc(MAX_CONTROL_BYTES + 1, ' ')), undefined);
  });
});

describe('a hello', () => {
  it('is read with all that it says', () => {
    const hello = { ...GOOD, events: ['a'], contract: { name: 'c', fragment: {} }, connection: 3 };
    assert.deepEqual(readHello(hello), hello);
  });

  it('may be short', () => {
    assert.deepEqual(readHello({ ...GOOD, news: 1 }), {
      ...GOOD,
      events: undefined,
      contract: undefined,
      connection: undefined,
    });
  });

  for (const [what, data, reason] of [
    ['no data', undefined, /JSON object/],
    ['another version', { ...GOOD, v: 2 }, /version 2/],
    ['no concurrency', { v: 1 }, /concurrency .* got undefined/],
    ['a concurrency of 0', { ...GOOD, concurrency: 0 }, /concurrency .* got 0/],
    ['events that are no list', { ...GOOD, events: 'a' }, /events/],
    ['too many events', { ...GOOD, events: Array.from({ length: MAX_EVENTS + 1 }, () => 'a') }, /events/],
    ['an event of ours', { ...GOOD, events: ['$hello'] }, /events/],
    ['an event of too many bytes', { ...GOOD, events: ['ü'.repeat(513)] }, /1024 bytes/],
    ['a contract without name', { ...GOOD, contract: { name: '', fragment: {} } }, /contract/],
    ['a contract without fragment', { ...GOOD, contract: { name: 'c' } }, /contract/],
    ['a connection that is no number', { ...GOOD, connection: 'x' }, /connection/],
  ] as const) {
    it(`is refused by name with ${what}`, () => {
      const read = readHello(data);
      assert.equal(typeof read, 'string');
      assert.match(read as string, reason);
    });
  }
});
