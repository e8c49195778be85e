import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../../src/contract/errors.ts';
import { ApiRegistry, type ApiSnapshot, SchemaCompiler } from '../../../../src/openapi/index.ts';
import { allowed } from '../../../helpers/patience.ts';

const body = (schema: unknown): object => ({ requestBody: { content: { 'application/json': { schema } } } });
const one = (schema: unknown, schemas: object = {}): object => ({
  openapi: '3.1.0',
  paths: { '/a': { post: body(schema) } },
  components: { schemas },
});
const pointerOf = (snapshot: ApiSnapshot, source = 'a'): string =>
  snapshot.operations.find((operation) => operation.source === source)?.bodies[0]?.pointer ?? '';

/** Whether the schema accepts a value. */
function accepts(schema: unknown, value: unknown, schemas?: object): boolean {
  const snapshot = new ApiRegistry().put('a', one(schema, schemas));
  return new SchemaCompiler(snapshot).compile(pointerOf(snapshot))(value);
}

describe('SchemaCompiler', () => {
  it('SchemaCompiler: compiles each schema once', () => {
    const snapshot = new ApiRegistry().put('a', one({ type: 'string' }));
    const compiler = new SchemaCompiler(snapshot);
    assert.equal(compiler.compile(pointerOf(snapshot)), compiler.compile(pointerOf(snapshot)));
  });

  it('SchemaCompiler: compiles schemas once that differ only in annotations', () => {
    const snapshot = new ApiRegistry().put('a', {
      openapi: '3.1.0',
      paths: {
        '/a': { post: body({ type: 'string', minLength: 2 }) },
        '/b': { post: body({ type: 'string', minLength: 2, example: 'ab' }) },
        '/c': { post: body({ type: 'string', minLength: 3 }) },
      },
    });
    const compiler = new SchemaCompiler(snapshot);
    const [a, b, c] = snapshot.operations.map(({ bodies }) => compiler.compile(bodies[0]?.pointer ?? ''));
    assert.equal(a, b);
    assert.notEqual(a, c);
    assert.deepEqual([a?.('ab'), c?.('ab')], [true, false]);
  });

  it('SchemaCompiler: recompiles only schemas that a change of the document affects', () => {
    const registry = new ApiRegistry();
    const inner = (type: string): object => ({ A: { $ref: '#/components/schemas/B' }, B: { type } });
    const first = registry.put('a', one({ $ref: '#/components/schemas/A' }, inner('string')));
    const before = new SchemaCompiler(first).compile(pointerOf(first));
    const other = registry.put('b', {
      paths: { '/b': { post: body({ $ref: '#/components/schemas/A' }) } },
      components: { schemas: inner('number') },
    });
    assert.equal(new SchemaCompiler(other).compile(pointerOf(other)), before);
    const renamed = new SchemaCompiler(other).compile(pointerOf(other, 'b'));
    assert.deepEqual([renamed(5), renamed('a')], [true, false]);
    registry.setAvailable('a', false);
    const marked = registry.snapshot();
    assert.equal(new SchemaCompiler(marked).compile(pointerOf(marked)), before);
    assert.equal(new SchemaCompiler(marked).compile(pointerOf(marked, 'b')), renamed);
    const changed = registry.put('a', one({ $ref: '#/components/schemas/A' }, inner('boolean')));
    const after = new SchemaCompiler(changed).compile(pointerOf(changed));
    assert.deepEqual([after(true), after('a')], [true, false]);
  });

  it('SchemaCompiler: treats names of built-in JavaScript members as data', () => {
    const schema = {
      type: 'object',
      properties: { constructor: { type: 'string' }, toString: {} },
      required: ['toString'],
    };
    assert.equal(accepts(schema, JSON.parse('{"toString":1}')), true);
    assert.equal(accepts(schema, {}), false);
    assert.equal(accepts(schema, { toString: 1, constructor: 5 }), false);
  });

  it('SchemaCompiler: ignores $id, anchors and examples', () => {
    const schemas = {
      A: { $id: 'urn:x', $anchor: 'here', type: 'string', examples: [{ $id: 7 }] },
      B: { $id: 'urn:x:2' },
    };
    assert.equal(accepts({ $ref: 'urn:x' }, 'text', schemas), true);
    assert.equal(accepts({ $ref: '#here' }, 5, schemas), false);
  });

  it('SchemaCompiler: compares array items by value', () => {
    const unique = { type: 'array', uniqueItems: true };
    assert.equal(
      accepts(unique, [
        { a: 1, b: [2] },
        { b: [2], a: 2 },
      ]),
      true,
    );
    assert.equal(
      accepts(unique, [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ]),
      false,
    );
    assert.equal(accepts(unique, [1, '1', true, 'true', null]), true);
    const start = performance.now();
    accepts(
      unique,
      Array.from({ length: 100_000 }, (_, n) => ({ n })),
    );
    assert.ok(performance.now() - start < allowed(2000));
  });

  it('SchemaCompiler: supports schemas of OpenAPI 3.0', () => {
    const takes30 = (schema: unknown, value: unknown): boolean => {
      const snapshot = new ApiRegistry().put('a', {
        ...one(schema, { S: { type: 'string' } }),
        openapi: '3.0.3',
      });
      return new SchemaCompiler(snapshot).compile(pointerOf(snapshot))(value);
    };
    assert.equal(takes30({ type: 'string', nullable: true }, null), true);
    assert.equal(takes30({ type: 'string', nullable: true, enum: ['a'] }, null), true);
    assert.equal(takes30({ nullable: true, allOf: [{ $ref: '#/components/schemas/S' }] }, null), true);
    assert.equal(
      takes30({ type: 'string', nullable: true, allOf: [{ $ref: '#/components/schemas/S' }] }, null),
      true,
    );
    assert.equal(takes30({ $ref: '#/components/schemas/S', nullable: true }, null), false);
    // OpenAPI 3.1 allows keywords next to a reference.
    for (const target of ['#/components/schemas/A/properties/b', '#/components/schemas/Page<User>']) {
      const schemas = {
        A: { properties: { b: { type: 'string' } } },
        'Page<User>': { type: 'string' },
        Page_User_: { type: 'integer' },
      };
      const schema = { $ref: target, nullable: true };
      assert.deepEqual(
        ['x', null, 5].map((value) => accepts(schema, value, schemas)),
        [true, true, false],
        target,
      );
    }
    assert.equal(takes30({ type: 'number', minimum: 1, exclusiveMinimum: true }, 1), false);
    assert.equal(takes30({ type: 'number', minimum: 1, exclusiveMinimum: false }, 1), true);
    assert.equal(
      takes30({ type: 'array', items: [{ type: 'string' }], additionalItems: false }, ['a', 'b']),
      false,
    );
    assert.equal(takes30({ dependencies: { a: ['b'], c: { required: ['d'] } } }, { a: 1 }), false);
    assert.equal(takes30({ dependencies: { a: ['b'], c: { required: ['d'] } } }, { c: 1 }), false);
    assert.equal(takes30({ type: 'string', format: 'byte' }, 'not base64!'), true);
  });

  it('SchemaCompiler: accepts patterns without Unicode mode and patterns with costly backtracking', () => {
    assert.equal(accepts({ pattern: '^a\\-b$' }, 'a-b'), true);
    assert.equal(accepts({ pattern: '^\\p{Lu}$' }, 'Ä'), true);
    const start = performance.now();
    assert.equal(accepts({ pattern: '^(a+)+$' }, `${'a'.repeat(100)}!`), false);
    assert.ok(performance.now() - start < allowed(1000));
  });

  it('SchemaCompiler: leaves a lookaround pattern of a contract to the worker and notes that in the description', () => {
    const snapshot = new ApiRegistry().put(
      'a',
      one({ type: 'string', pattern: '^(?=.*\\d)', description: 'Secret.' }),
      { kind: 'worker' },
    );
    const schema = snapshot.operations[0]?.bodies[0]?.schema;
    assert.deepEqual(schema, {
      type: 'string',
      'x-pattern': '^(?=.*\\d)',
      description: 'Secret. The worker checks x-pattern.',
    });
    const trusted = new ApiRegistry().put('a', one({ pattern: '^(?=.*\\d)' }));
    assert.deepEqual(trusted.operations[0]?.bodies[0]?.schema, { pattern: '^(?=.*\\d)' });
  });

  it('SchemaCompiler: names the schema that cannot be compiled', () => {
    const snapshot = new ApiRegistry().put('a', one({}));
    const broken = structuredClone(snapshot.document);
    Object.assign(broken.components?.schemas ?? {}, { X: { $ref: '#/components/schemas/None' } });
    assert.throws(
      () => new SchemaCompiler({ document: broken }).compile('/components/schemas/X'),
      (error) => {
        assert.ok(error instanceof ContractError);
        assert.match(error.message, /at #\/components\/schemas\/X: the schema cannot be compiled/);
        return true;
      },
    );
  });

  it('SchemaCompiler: validates in time proportional to the value, also with recursive unions', () => {
    const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
    const node = (kind: string): object => ({
      type: 'object',
      required: ['kind', 'children'],
      properties: { kind: { const: kind }, children: { type: 'array', items: ref('Item') } },
    });
    const schemas = {
      Item: { oneOf: [ref('Folder'), ref('Group')], discriminator: { propertyName: 'kind' } },
      Folder: node('folder'),
      Group: node('group'),
    };
    let item: unknown = { kind: 'folder', children: [] };
    let wrong: unknown = { kind: 'file' };
    for (let level = 0; level < 60; level += 1) {
      item = { kind: level % 2 === 0 ? 'group' : 'folder', children: [item] };
      wrong = { kind: level % 2 === 0 ? 'group' : 'folder', children: [wrong] };
    }
    assert.equal(accepts(ref('Item'), item, schemas), true);
    assert.equal(accepts(ref('Item'), wrong, schemas), false);
  });

  it('SchemaCompiler: collects all errors of a small value and the first error of a large one', () => {
    const snapshot = new ApiRegistry().put(
      'a',
      one({ items: { $ref: '#/components/schemas/A' } }, { A: { type: 'string' } }),
    );
    const validate = new SchemaCompiler(snapshot).compile(pointerOf(snapshot));
    const errorsOf = (length: number): number | undefined => {
      assert.equal(validate(Array.from({ length }, () => 1)), false);
      return validate.errors?.length;
    };
    assert.deepEqual([errorsOf(3), errorsOf(20_000)], [3, 1]);
    assert.equal(validate(['a']), true);
  });

  it('SchemaCompiler: validates patternProperties next to a union that does not match', () => {
    const schemas = { Closed: { unevaluatedProperties: false } };
    const schema = { anyOf: [{ $ref: '#/components/schemas/Closed' }], patternProperties: { '^a': {} } };
    assert.equal(accepts(schema, { a: 0 }, schemas), false);
    assert.equal(accepts(schema, {}, schemas), true);
  });
});
