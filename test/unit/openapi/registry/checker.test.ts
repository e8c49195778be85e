/** Tests that the checker does not read or merge a contract again without need. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAtOnce, type Steps } from '../../../../src/core/time/steps.ts';
import { ApiRegistry, contractChecker } from '../../../../src/openapi/index.ts';

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
  it('contract checker: reads each version of a contract once', () => {
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

  it('contract checker: rejects an unannounced event, also in a version that was compared before', () => {
    const checker = contractChecker(new ApiRegistry());
    const [before, after] = [fragment({ '/a': 'a' }), fragment({ '/a': 'a', '/b': 'b' })];
    checker.put('x', before, ['a']);
    checker.compare(before, after);
    assert.throws(
      () => checker.put('x', after, ['a']),
      /GET \/b.*uses the event b, which its workers do not announce/,
    );
    assert.equal(checker.compare(before, after).reason, undefined);
  });

  it('contract checker: serves the same document after a contract became available again', () => {
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

  it('contract checker: checks a contract of 2,000 operations and a later version in small steps', () => {
    const checker = contractChecker(new ApiRegistry());
    const paths = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`/p${index}`, `e${index}`]));
    const [before, after] = [fragment(paths(1999)), fragment(paths(2000))];
    const works = [
      () => checker.putting('x', before),
      () => checker.comparing(before, after),
      () => checker.putting('x', after),
    ];
    for (const work of works) {
      const { steps, longest, total } = measure(work());
      assert.ok(steps >= 3998, `${steps} steps`);
      assert.ok(longest < total / 2, `the longest step takes ${longest} of ${total} microseconds`);
    }
    const paused = checker.putting('y', fragment({ '/y': 'y' }));
    paused.next();
    checker.put('z', fragment({ '/z': 'z' }));
    runAtOnce(paused);
    assert.deepEqual([checker.has('x'), checker.has('y'), checker.has('z')], [true, true, true]);
  });

  it('contract checker: rejects a route that another source added between the steps', () => {
    const checker = contractChecker(new ApiRegistry());
    const registryAfter = (steps: number) => {
      const paused = checker.putting(`late ${steps}`, fragment({ [`/${steps}`]: `late${steps}` }));
      for (let step = 0; step < steps; step += 1) assert.equal(paused.next().done, false);
      checker.put(`early ${steps}`, fragment({ [`/${steps}`]: `early${steps}` }));
      assert.throws(() => runAtOnce(paused), /early \d+ already serves GET/);
    };
    for (let steps = 1; steps <= 5; steps += 1) registryAfter(steps);
  });
});

/** Measures the CPU time of all steps and of the longest one, in microseconds. */
function measure(steps: Steps<unknown>) {
  const result = { steps: 0, longest: 0, total: 0 };
  for (;;) {
    const before = process.cpuUsage();
    const { done } = steps.next();
    const { user, system } = process.cpuUsage(before);
    result.longest = Math.max(result.longest, user + system);
    result.total += user + system;
    if (done === true) return result;
    result.steps += 1;
  }
}
