/** `$dynamicRef` is judged as JSON Schema 2020-12 says (core, 8.2.3.2), and served as plain references. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../src/contract/errors.ts';
import { ApiRegistry, SchemaCompiler } from '../../../src/openapi/index.ts';

/** Judges values by the schema of a body. */
function judge(schemas: object, schema: object = { $ref: '#/components/schemas/Root' }) {
  const snapshot = new ApiRegistry().put('a', {
    openapi: '3.1.0',
    paths: { '/a': { post: { requestBody: { content: { 'application/json': { schema } } } } } },
    components: { schemas },
  });
  const validate = new SchemaCompiler(snapshot).compile(snapshot.operations[0]?.bodies[0]?.pointer ?? '');
  return { takes: (value: unknown): boolean => validate(value), text: JSON.stringify(snapshot.document) };
}

const TREE = {
  $dynamicAnchor: 'node',
  type: 'object',
  properties: { value: { type: 'integer' }, children: { type: 'array', items: { $dynamicRef: '#node' } } },
};

describe('$dynamicRef', () => {
  it('leads to its anchor, and the served document has neither', () => {
    const { takes, text } = judge({ Root: TREE });
    assert.ok(takes({ value: 1, children: [{ value: 2, children: [] }] }));
    assert.ok(!takes({ children: [5] }));
    assert.ok(!takes({ children: [{ children: [{ value: 'x' }] }] }));
    assert.doesNotMatch(text, /\$dynamic/);
  });

  it('leads to the outermost schema with the anchor, from each way in', () => {
    const schemas = {
      Tree: { $id: 'https://x.example/tree', ...TREE },
      Strict: {
        $id: 'https://x.example/strict',
        $dynamicAnchor: 'node',
        $ref: 'https://x.example/tree',
        unevaluatedProperties: false,
      },
    };
    const strict = judge(schemas, { $ref: '#/components/schemas/Strict' });
    assert.ok(strict.takes({ children: [{ value: 1 }] }));
    assert.ok(!strict.takes({ children: [{ vlaue: 1 }] }));
    const plain = judge(schemas, { $ref: '#/components/schemas/Tree' });
    assert.ok(plain.takes({ children: [{ vlaue: 1 }] }));
    assert.ok(!plain.takes({ children: [{ value: 'x' }] }));
    // Both ways in one document.
    const both = judge(schemas, {
      properties: {
        strict: { $ref: '#/components/schemas/Strict' },
        plain: { $ref: '#/components/schemas/Tree' },
      },
    });
    assert.ok(both.takes({ plain: { children: [{ vlaue: 1 }] } }));
    assert.ok(!both.takes({ strict: { children: [{ vlaue: 1 }] } }));
  });

  for (const ids of [true, false]) {
    it(`fills a template for a generic type, ${ids ? 'with' : 'without'} $id`, () => {
      const id = (name: string) => (ids ? { $id: `https://x.example/${name}` } : {});
      const page = (type: string) => ({
        ...id(type),
        $defs: { item: { $dynamicAnchor: 'T', type } },
        $ref: ids ? 'https://x.example/page' : '#/components/schemas/Page',
      });
      const { takes } = judge({
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
      assert.ok(takes({ a: { items: ['x'] }, b: { items: [1] } }));
      assert.ok(!takes({ a: { items: [1] } }));
      assert.ok(!takes({ b: { items: ['x'] } }));
    });
  }

  it('is a plain reference where the anchor is plain, or a pointer', () => {
    const schemas = (ref: string) => ({
      Base: { $defs: { item: { $anchor: 'T', type: 'string' } }, properties: { x: { $dynamicRef: ref } } },
      Root: { $defs: { item: { $dynamicAnchor: 'T', type: 'number' } }, $ref: '#/components/schemas/Base' },
    });
    for (const ref of ['#T', '#/components/schemas/Base/$defs/item']) {
      const { takes } = judge(schemas(ref));
      assert.deepEqual([takes({ x: 'a' }), takes({ x: 1 })], [true, false], ref);
    }
  });

  it('may stand beside other keywords, a $ref and nullable among them', () => {
    const { takes } = judge({
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
    assert.ok(takes({ next: null }));
    assert.ok(takes({ next: { next: null }, both: { name: 1 } }));
    assert.ok(!takes({ next: 5 }));
    assert.ok(!takes({ both: {} }));
    assert.ok(!takes({ both: { name: 1, next: 1 } }));
  });

  it('of the draft before, $recursiveRef, is judged as well', () => {
    const schemas = {
      Tree: {
        $recursiveAnchor: true,
        type: 'object',
        properties: { children: { type: 'array', items: { $recursiveRef: '#' } } },
      },
      Root: { $recursiveAnchor: true, $ref: '#/components/schemas/Tree', unevaluatedProperties: false },
    };
    const { takes } = judge(schemas);
    assert.ok(takes({ children: [{ children: [] }] }));
    assert.ok(!takes({ children: [5] }));
    assert.ok(!takes({ children: [{ odd: 1 }] }));
    assert.ok(judge(schemas, { $ref: '#/components/schemas/Tree' }).takes({ children: [{ odd: 1 }] }));
  });

  it('is refused where it leads nowhere, to several schemas, or stands in a contract', () => {
    const refused = (schemas: object, reason: RegExp): void => {
      assert.throws(
        () => judge(schemas),
        (error) => error instanceof ContractError && reason.test(error.message),
      );
    };
    refused({ Root: { items: { $dynamicRef: '#none' } } }, /\$dynamicRef "#none" has no target/);
    refused(
      { Root: { items: { $dynamicRef: '#T' } }, A: { $dynamicAnchor: 'T' }, B: { $dynamicAnchor: 'T' } },
      /several schemas have the anchor T/,
    );
    const contract = { paths: {}, components: { schemas: { Root: TREE } } };
    assert.throws(
      () => new ApiRegistry().put('w', contract, { kind: 'worker' }),
      /must not use \$dynamicRef; use \$ref/,
    );
  });

  it('does not confuse anchors of several $ids', () => {
    const part = (type: string) => ({
      $id: `urn:${type}`,
      $defs: { it: { $anchor: 'it', type } },
      properties: { x: { $ref: '#it' }, y: { $ref: '#/$defs/it' } },
    });
    const { takes } = judge({
      A: part('string'),
      B: part('number'),
      Root: {
        properties: { a: { $ref: 'urn:string' }, b: { $ref: 'urn:number' }, c: { $ref: 'urn:number#it' } },
      },
    });
    assert.ok(takes({ a: { x: 'x', y: 'y' }, b: { x: 1, y: 1 }, c: 1 }));
    for (const wrong of [
      { a: { x: 1 } },
      { a: { y: 1 } },
      { b: { x: 'x' } },
      { b: { y: 'x' } },
      { c: 'x' },
    ]) {
      assert.ok(!takes(wrong), JSON.stringify(wrong));
    }
  });
});
