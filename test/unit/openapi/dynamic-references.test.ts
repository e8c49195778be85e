/**
 * Tests that `$dynamicRef` is resolved as in JSON Schema 2020-12 (core, 8.2.3.2) and served as plain
 * references.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../src/contract/errors.ts';
import { ApiRegistry, SchemaCompiler } from '../../../src/openapi/index.ts';

/** Compiles the schema of a body. */
function validatorFor(schemas: object, schema: object = { $ref: '#/components/schemas/Root' }) {
  const snapshot = new ApiRegistry().put('a', {
    openapi: '3.1.0',
    paths: { '/a': { post: { requestBody: { content: { 'application/json': { schema } } } } } },
    components: { schemas },
  });
  const validate = new SchemaCompiler(snapshot).compile(snapshot.operations[0]?.bodies[0]?.pointer ?? '');
  return { accepts: (value: unknown): boolean => validate(value), text: JSON.stringify(snapshot.document) };
}

const TREE = {
  $dynamicAnchor: 'node',
  type: 'object',
  properties: { value: { type: 'integer' }, children: { type: 'array', items: { $dynamicRef: '#node' } } },
};

describe('$dynamicRef', () => {
  it('$dynamicRef: resolves to its anchor, and the served document contains neither', () => {
    const { accepts, text } = validatorFor({ Root: TREE });
    assert.ok(accepts({ value: 1, children: [{ value: 2, children: [] }] }));
    assert.ok(!accepts({ children: [5] }));
    assert.ok(!accepts({ children: [{ children: [{ value: 'x' }] }] }));
    assert.doesNotMatch(text, /\$dynamic/);
  });

  it('$dynamicRef: resolves to the outermost schema with the anchor, for each path of references', () => {
    const schemas = {
      Tree: { $id: 'https://x.example/tree', ...TREE },
      Strict: {
        $id: 'https://x.example/strict',
        $dynamicAnchor: 'node',
        $ref: 'https://x.example/tree',
        unevaluatedProperties: false,
      },
    };
    const strict = validatorFor(schemas, { $ref: '#/components/schemas/Strict' });
    assert.ok(strict.accepts({ children: [{ value: 1 }] }));
    assert.ok(!strict.accepts({ children: [{ vlaue: 1 }] }));
    const plain = validatorFor(schemas, { $ref: '#/components/schemas/Tree' });
    assert.ok(plain.accepts({ children: [{ vlaue: 1 }] }));
    assert.ok(!plain.accepts({ children: [{ value: 'x' }] }));
    // Both paths of references in one document.
    const both = validatorFor(schemas, {
      properties: {
        strict: { $ref: '#/components/schemas/Strict' },
        plain: { $ref: '#/components/schemas/Tree' },
      },
    });
    assert.ok(both.accepts({ plain: { children: [{ vlaue: 1 }] } }));
    assert.ok(!both.accepts({ strict: { children: [{ vlaue: 1 }] } }));
  });

  for (const ids of [true, false]) {
    it(`$dynamicRef: supports templates of generic types ${ids ? 'with' : 'without'} $id`, () => {
      const id = (name: string) => (ids ? { $id: `https://x.example/${name}` } : {});
      const page = (type: string) => ({
        ...id(type),
        $defs: { item: { $dynamicAnchor: 'T', type } },
        $ref: ids ? 'https://x.example/page' : '#/components/schemas/Page',
      });
      const { accepts } = validatorFor({
        Page: {
          ...id('page'),
          $defs: { item: { $dynamicAnchor: 'T', not: {} } },
          type: 'object',
          properties: { items: { type: 'array', items: { $dynamicRef: '#T' } } },
        },
        Texts: page('string'),
        Numbers: page('number'),
        Root: {
          properties: {
            a: { $ref: '#/components/schemas/Texts' },
            b: { $ref: '#/components/schemas/Numbers' },
          },
        },
      });
      assert.ok(accepts({ a: { items: ['x'] }, b: { items: [1] } }));
      assert.ok(!accepts({ a: { items: [1] } }));
      assert.ok(!accepts({ b: { items: ['x'] } }));
    });
  }

  it('$dynamicRef: acts as a $ref for a plain anchor or a pointer', () => {
    const schemas = (ref: string) => ({
      Base: { $defs: { item: { $anchor: 'T', type: 'string' } }, properties: { x: { $dynamicRef: ref } } },
      Root: { $defs: { item: { $dynamicAnchor: 'T', type: 'number' } }, $ref: '#/components/schemas/Base' },
    });
    for (const ref of ['#T', '#/components/schemas/Base/$defs/item']) {
      const { accepts } = validatorFor(schemas(ref));
      assert.deepEqual([accepts({ x: 'a' }), accepts({ x: 1 })], [true, false], ref);
    }
  });

  it('$dynamicRef: can be combined with other keywords, such as $ref and nullable', () => {
    const { accepts } = validatorFor({
      Root: {
        $dynamicAnchor: 'node',
        type: 'object',
        properties: {
          next: { $dynamicRef: '#node', nullable: true },
          both: { $dynamicRef: '#node', $ref: '#/components/schemas/Named', maxProperties: 1 },
        },
      },
      Named: { required: ['name'] },
    });
    assert.ok(accepts({ next: null }));
    assert.ok(accepts({ next: { next: null }, both: { name: 1 } }));
    assert.ok(!accepts({ next: 5 }));
    assert.ok(!accepts({ both: {} }));
    assert.ok(!accepts({ both: { name: 1, next: 1 } }));
  });

  it('$recursiveRef: is resolved too', () => {
    const schemas = {
      Tree: {
        $recursiveAnchor: true,
        type: 'object',
        properties: { children: { type: 'array', items: { $recursiveRef: '#' } } },
      },
      Root: { $recursiveAnchor: true, $ref: '#/components/schemas/Tree', unevaluatedProperties: false },
    };
    const { accepts } = validatorFor(schemas);
    assert.ok(accepts({ children: [{ children: [] }] }));
    assert.ok(!accepts({ children: [5] }));
    assert.ok(!accepts({ children: [{ odd: 1 }] }));
    assert.ok(
      validatorFor(schemas, { $ref: '#/components/schemas/Tree' }).accepts({ children: [{ odd: 1 }] }),
    );
  });

  it('$dynamicRef: is rejected without a target, with several targets, and in a contract of a worker', () => {
    const rejected = (schemas: object, reason: RegExp): void => {
      assert.throws(
        () => validatorFor(schemas),
        (error) => error instanceof ContractError && reason.test(error.message),
      );
    };
    rejected({ Root: { items: { $dynamicRef: '#none' } } }, /\$dynamicRef "#none" has no target/);
    rejected(
      { Root: { items: { $dynamicRef: '#T' } }, A: { $dynamicAnchor: 'T' }, B: { $dynamicAnchor: 'T' } },
      /several schemas have the anchor T/,
    );
    const contract = { paths: {}, components: { schemas: { Root: TREE } } };
    assert.throws(
      () => new ApiRegistry().put('w', contract, { kind: 'worker' }),
      /must not use \$dynamicRef; use \$ref/,
    );
  });

  it('$dynamicRef: distinguishes anchors of different $ids', () => {
    const part = (type: string) => ({
      $id: `urn:${type}`,
      $defs: { it: { $anchor: 'it', type } },
      properties: { x: { $ref: '#it' }, y: { $ref: '#/$defs/it' } },
    });
    const { accepts } = validatorFor({
      A: part('string'),
      B: part('number'),
      Root: {
        properties: { a: { $ref: 'urn:string' }, b: { $ref: 'urn:number' }, c: { $ref: 'urn:number#it' } },
      },
    });
    assert.ok(accepts({ a: { x: 'x', y: 'y' }, b: { x: 1, y: 1 }, c: 1 }));
    for (const wrong of [
      { a: { x: 1 } },
      { a: { y: 1 } },
      { b: { x: 'x' } },
      { b: { y: 'x' } },
      { c: 'x' },
    ]) {
      assert.ok(!accepts(wrong), JSON.stringify(wrong));
    }
  });
});
