import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  cancelFrames,
  controlData,
  controlFrames,
  isControl,
  MAX_CONTROL_BYTES,
  MAX_EVENTS,
  readCredit,
  readHello,
} from '../../../src/wire/control.ts';

const GOOD = { v: 1, pack: 1, concurrency: 4 };

describe('control messages', () => {
  it('control messages: are recognised by their first two frames', () => {
    assert.ok(isControl(controlFrames('$bye', {}), 0));
    assert.ok(isControl([Buffer.from('identity'), ...controlFrames('$bye', {})], 1));
    assert.ok(!isControl([Buffer.from('$$'), Buffer.alloc(0)], 0));
    assert.ok(!isControl([Buffer.from('$'), Buffer.from('x')], 0));
  });

  it('control messages: a cancel names the token of its request in hexadecimal', () => {
    const frames = cancelFrames(1, 7, 'expired');
    assert.ok(isControl(frames, 0));
    assert.equal(String(frames[2]), '$cancel');
    assert.deepEqual(controlData(frames[3]), { token: '540100000007000000', reason: 'expired' });
  });

  it('control messages: have an object as data', () => {
    assert.deepEqual(controlData(controlFrames('$refused', { reason: 'x' })[3]), { reason: 'x' });
    for (const text of ['[]', 'null', '5', '{"a"', ''])
      assert.equal(controlData(Buffer.from(text)), undefined, text);
    assert.equal(controlData(undefined), undefined);
    assert.equal(controlData(Buffer.alloc(MAX_CONTROL_BYTES + 1, ' ')), undefined);
  });
});

describe('hello', () => {
  it('hello: is read with all its members', () => {
    const hello = {
      ...GOOD,
      share: true,
      events: ['a'],
      contract: { name: 'c', fragment: {} },
      node: 'n',
      connection: 3,
      refused: true,
      file: 'shop.ts',
      host: 'host-1',
    };
    assert.deepEqual(readHello(hello), hello);
  });

  it('hello: a file or host that is not a text is ignored', () => {
    for (const place of [7, '', null, 'a'.repeat(256)]) {
      const hello = readHello({ ...GOOD, file: place, host: place });
      assert.ok(typeof hello !== 'string');
      assert.deepEqual([hello.file, hello.host], [undefined, undefined]);
    }
  });

  it('hello: optional members can be absent', () => {
    assert.deepEqual(readHello({ ...GOOD, news: 1 }), {
      ...GOOD,
      share: undefined,
      events: undefined,
      contract: undefined,
      node: undefined,
      connection: undefined,
      refused: undefined,
    });
  });

  it('hello: states whether the worker packs, and does if it says nothing', () => {
    for (const pack of [0, 1] as const) {
      const hello = readHello({ ...GOOD, pack });
      assert.ok(typeof hello !== 'string');
      assert.equal(hello.pack, pack);
    }
    const hello = readHello({ v: 1, concurrency: 1 });
    assert.ok(typeof hello !== 'string');
    assert.equal(hello.pack, 1);
  });

  for (const [what, data, reason] of [
    ['no data', undefined, /JSON object/],
    ['another version', { ...GOOD, v: 2 }, /version 2/],
    ['a pack that is neither 0 nor 1', { ...GOOD, pack: 2 }, /pack must be 0 or 1, got 2/],
    ['a pack that is not a number', { ...GOOD, pack: false }, /pack/],
    ['no concurrency', { v: 1 }, /concurrency .* got undefined/],
    ['a concurrency of 0', { ...GOOD, concurrency: 0 }, /concurrency .* got 0/],
    ['a share that is not a boolean', { ...GOOD, share: 1 }, /share/],
    ['a concurrency below 0', { ...GOOD, share: true, concurrency: -1 }, /concurrency .* got -1/],
    ['events that are not a list', { ...GOOD, events: 'a' }, /events/],
    ['too many events', { ...GOOD, events: Array.from({ length: MAX_EVENTS + 1 }, () => 'a') }, /events/],
    ['a reserved event', { ...GOOD, events: ['$hello'] }, /events/],
    ['an event of too many bytes', { ...GOOD, events: ['ü'.repeat(513)] }, /1024 bytes/],
    ['a contract without name', { ...GOOD, contract: { name: '', fragment: {} } }, /contract/],
    ['a contract without fragment', { ...GOOD, contract: { name: 'c' } }, /contract/],
    ['a node that is not an identity', { ...GOOD, node: 'a\nb' }, /node/],
    ['a node that is longer than a routing id', { ...GOOD, node: 'ü'.repeat(128) }, /node/],
    ['a refused that is not a boolean', { ...GOOD, refused: 'yes' }, /refused/],
    ['a connection that is not a number', { ...GOOD, connection: 'x' }, /connection/],
  ] as const) {
    it(`hello: is rejected with ${what}, and the reason has the member`, () => {
      const read = readHello(data);
      assert.equal(typeof read, 'string');
      assert.match(read as string, reason);
    });
  }
});

describe('credit', () => {
  it('credit: is a number of requests and can be 0', () => {
    assert.equal(readCredit({ concurrency: 0 }), 0);
    assert.equal(readCredit({ concurrency: 1_000_000 }), 1_000_000);
    for (const concurrency of [-1, 1.5, '1', 1_000_001, undefined])
      assert.equal(readCredit({ concurrency }), undefined);
    assert.equal(readCredit(undefined), undefined);
  });

  it('credit: only workers that share it can start with 0', () => {
    assert.deepEqual(readHello({ ...GOOD, share: true, concurrency: 0 }), {
      ...GOOD,
      share: true,
      concurrency: 0,
      events: undefined,
      contract: undefined,
      node: undefined,
      connection: undefined,
      refused: undefined,
    });
  });
});
