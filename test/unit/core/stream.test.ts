import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BODY_WINDOW,
  chunkCost,
  MAX_CHUNK,
  MAX_WINDOW,
  REPLY_WINDOW,
  StreamWindow,
} from '../../../src/core/messages/stream.ts';

describe('StreamWindow', () => {
  it('StreamWindow: allows chunks while bytes are left, even a larger one', () => {
    const window = new StreamWindow(10);
    assert.equal(window.take(Buffer.alloc(4)), true);
    assert.equal(window.take(Buffer.alloc(20)), true);
    assert.deepEqual([window.open, window.bytes], [false, -14]);
    assert.equal(window.take(Buffer.alloc(1)), false, 'the sender exceeded the window');
  });

  it('StreamWindow: opens again when the receiver has granted more than was overdrawn', () => {
    const window = new StreamWindow(10);
    window.take(Buffer.alloc(20));
    window.grant(10);
    assert.equal(window.open, false);
    window.grant(1);
    assert.equal(window.open, true);
  });

  it('StreamWindow: is closed from the start if nothing is granted, and bounded', () => {
    assert.equal(new StreamWindow(0).open, false);
    const window = new StreamWindow(MAX_WINDOW);
    window.grant(MAX_WINDOW);
    assert.equal(window.bytes, MAX_WINDOW);
  });

  it('chunks: cost their bytes, and empty ones a fixed number', () => {
    assert.deepEqual([chunkCost(Buffer.alloc(5)), chunkCost(Buffer.alloc(0))], [5, 64]);
  });

  it('windows: hold at least one chunk of the maximum size', () => {
    assert.ok(REPLY_WINDOW >= MAX_CHUNK && BODY_WINDOW >= MAX_CHUNK);
  });
});
