/**
 * Tests that contracts are read in steps, none of which processes many path items or components.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from '../../../src/contract/json.ts';
import { runAtOnce, type Steps } from '../../../src/core/time/steps.ts';
import { visitingSchemas } from '../../../src/openapi/files/anchors.ts';
import { ApiRegistry } from '../../../src/openapi/index.ts';
import { plainCopy, plainCopying, WORKER_LIMITS } from '../../../src/openapi/model/limits.ts';

const COUNT = 60;

/** Creates a contract with as many operations as schemas, each with at most one reference. */
function contract(prefix: string, title: string) {
  const paths: Record<string, object> = {};
  const schemas: Record<string, object> = {};
  for (let index = 0; index < COUNT; index += 1) {
    const ref = { $ref: `#/components/schemas/S${index}` };
    const next = index % 10 === 9 ? true : { $ref: `#/components/schemas/S${index + 1}` };
    const content = { 'application/json': { schema: ref } };
    schemas[`S${index}`] = { type: 'object', title, properties: { next } };
    paths[`/${prefix}/${index}`] = {
      post: { 'x-event-name': `${prefix}.${index}`, requestBody: { content }, responses: {} },
    };
  }
  return { openapi: '3.1.0', info: { title, version: '1' }, paths, components: { schemas } };
}

/** Returns the maximum that one step counted. */
function mostPerStep(steps: Steps<unknown>, counted: () => number): number {
  let most = 0;
  for (let before = counted(), done = false; !done; before = counted()) {
    done = steps.next().done === true;
    most = Math.max(most, counted() - before);
  }
  return most;
}

function stepsOf(steps: Steps<unknown>): number {
  let count = 1;
  while (steps.next().done !== true) count += 1;
  return count;
}

describe('the steps of reading a contract', () => {
  it('steps: copy one path item at a time', () => {
    let read = 0;
    const paths = Object.fromEntries(
      Array.from({ length: COUNT }, (_, index) => {
        const item = Object.defineProperty({}, 'get', { enumerable: true, get: () => ++read });
        return [`/${index}`, item];
      }),
    );
    assert.equal(
      mostPerStep(plainCopying({ paths }, WORKER_LIMITS), () => read),
      1,
    );
    assert.equal(read, COUNT);
  });

  it('steps: copy and reject the same as a copy in one step', () => {
    const value = { a: [1, { b: null }], c: { d: { e: { f: { g: 'h' } } } }, i: undefined };
    const copied = runAtOnce(plainCopying(value, WORKER_LIMITS));
    assert.deepEqual(copied, plainCopy(value, WORKER_LIMITS));
    assert.deepEqual(copied, { a: [1, { b: null }], c: { d: { e: { f: { g: 'h' } } } } });
    const named = JSON.parse('{"paths":{"__proto__":{}}}') as unknown;
    assert.throws(() => runAtOnce(plainCopying(named, WORKER_LIMITS)), /__proto__/);
    assert.throws(
      () => runAtOnce(plainCopying({ paths: { '/a': new Date() } }, WORKER_LIMITS)),
      /\/paths\/~1a: not a plain JSON object/,
    );
    assert.throws(() => runAtOnce(plainCopying(value, { ...WORKER_LIMITS, bytes: 20 })), /larger than 20/);
  });

  it('steps: search names in one component at a time', () => {
    let visited = 0;
    const steps = visitingSchemas(contract('a', 'one') as Json, () => (visited += 1));
    const perPathItem = 8;
    assert.ok(mostPerStep(steps, () => visited) <= perPathItem);
    assert.ok(visited > COUNT * perPathItem, `${visited} objects`);
  });

  it('steps: compute the fingerprint of each component separately and once', () => {
    const registry = new ApiRegistry();
    const { fingerprints } = runAtOnce(registry.reading(contract('a', 'one')));
    assert.ok(stepsOf(fingerprints.ofComponents()) > COUNT);
    assert.equal(stepsOf(fingerprints.ofComponents()), 1);
    assert.ok(stepsOf(fingerprints.ofEventSchemas()) > COUNT);
    assert.equal(stepsOf(fingerprints.ofEventSchemas()), 1);
  });

  it('steps: reuse the fingerprints in comparisons and merges', () => {
    const registry = new ApiRegistry();
    const [before, after] = [
      runAtOnce(registry.reading(contract('a', 'one'))),
      runAtOnce(registry.reading(contract('a', 'two'))),
    ];
    const rounds = 12;
    assert.ok(stepsOf(registry.comparing(before, after)) > 2 * rounds * COUNT);
    registry.put('one', contract('a', 'one'), { kind: 'worker' });
    // Different components have the same names, so both sources need fingerprints and the second one
    // gets new names.
    const merging = registry.putting('two', contract('b', 'two'), { kind: 'worker' });
    assert.ok(stepsOf(merging) > 2 * rounds * COUNT);
    const names = Object.keys(registry.snapshot().document.components?.schemas ?? {});
    assert.ok(names.includes('S0') && names.includes('two.S0'));
  });
});
