/** The work that a router's contracts cost: what was read or merged before is not done again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiRegistry, contractChecker } from '../../../src/apidoc/index.ts';

const fragment = (paths: Record<string, string>) => ({
  openapi: '3.1.0',
  info: { title: 'Test', version: '1.0.0' },
  paths: Object.fromEntries(
    Object.entries(paths).map(([path, operationId]) => [
      path,
      {
        get: { operationId, description: `About ${operationId}.`, responses: { 200: { description: 'OK' } } },
      },
    ]),
  ),
});

/** A contract that counts how often it is read. */
function counted(paths: Record<string, string>) {
  const whole = fragment(paths);
  const count = { reads: 0 };
  const contract = {
    ...whole,
    get paths() {
      count.reads += 1;
      return whole.paths;
    },
  };
  return { contract, count };
}

describe('contract checker of a registry', () => {
  it('reads each version of a contract once, however often versions are compared and put', () => {
    const checker = contractChecker(new ApiRegistry());
    const first = counted({ '/a': 'a' });
    const second = counted({ '/a': 'a', '/b': 'b' });
    checker.put('x', first.contract, ['a']);
    assert.equal(
      checker.compare(second.contract, first.contract).reason,
      'GET /b: event b: the operation is missing',
    );
    assert.equal(checker.compare(first.contract, second.contract).reason, undefined);
    checker.put('x', second.contract, ['a', 'b']);
    checker.compare(second.contract, first.contract);
    assert.equal(second.count.reads, 1);
    assert.equal(first.count.reads, 2, 'read again once another version took its place');
  });

  it('refuses an event that the workers do not announce, also in a version that was compared before', () => {
    const checker = contractChecker(new ApiRegistry());
    const [before, after] = [fragment({ '/a': 'a' }), fragment({ '/a': 'a', '/b': 'b' })];
    checker.put('x', before, ['a']);
    checker.compare(before, after);
    assert.throws(
      () => checker.put('x', after, ['a']),
      /GET \/b.*leads to the event b, which its workers do not announce/,
    );
    assert.equal(checker.compare(before, after).reason, undefined);
  });

  it('serves the same document again after a contract was unavailable, as if it were merged anew', () => {
    const registry = new ApiRegistry();
    registry.put('x', fragment({ '/a': 'a', '/b': 'b' }), { kind: 'worker' });
    registry.put('y', fragment({ '/c': 'c' }), { kind: 'worker' });
    const before = registry.snapshot();
    registry.setAvailable('x', false);
    const without = registry.snapshot();
    const anew = new ApiRegistry();
    anew.put('x', fragment({ '/a': 'a', '/b': 'b' }), { kind: 'worker', available: false });
    anew.put('y', fragment({ '/c': 'c' }), { kind: 'worker' });
    assert.deepEqual(without.document, anew.snapshot().document);
    assert.deepEqual(without.operations, anew.snapshot().operations);
    assert.equal(
      before.document.paths?.['/a']?.get?.description,
      'About a.',
      'an old snapshot stays as it was',
    );
    registry.setAvailable('x', true);
    assert.equal(JSON.stringify(registry.snapshot().document), JSON.stringify(before.document));
    assert.deepEqual(registry.snapshot().operations, before.operations);
    assert.equal(
      registry.snapshot().operations[2],
      before.operations[2],
      'what did not change is the same object',
    );
  });
});
