import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flagsFor } from '../../../../src/transport/socket/tune-v8.ts';

const GC = ['--no-concurrent-marking', '--no-allocation-site-pretenuring'];

describe('flags of V8', () => {
  for (const [node, v8, early] of [
    [20, '11.3.244.8-node.33', ['--interrupt-budget=20000']],
    [22, '12.4.254.21-node.33', ['--invocation-count-for-turbofan=1000']],
  ] as const) {
    it(`Node.js ${node}: functions are optimised early`, () => {
      assert.deepEqual(flagsFor(v8), [...GC, ...early]);
    });
  }

  it('Node.js 24: its second compiler optimises early', () => {
    assert.deepEqual(flagsFor('13.6.233.10-node.28'), GC);
  });

  it('an unknown version of V8: no flags that it may not have', () => {
    assert.deepEqual(flagsFor('99.0'), GC);
  });
});
