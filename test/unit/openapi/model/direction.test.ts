import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiRegistry, type Direction, SchemaCompiler } from '../../../../src/openapi/index.ts';

const id = { type: 'integer', readOnly: true };
const secret = { type: 'string', writeOnly: true };
const user = { type: 'object', required: ['id', 'name', 'secret'], properties: { id, name: {}, secret } };
const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const required = (...names: string[]): object => ({ required: names });
const SCHEMAS = {
  User: user,
  Id: id,
  Demands: required('id', 'name'),
  Owner: { properties: { id } },
  Tree: {
    required: ['id'],
    properties: { id, children: { type: 'array', items: ref('Tree') } },
  },
};

/** Whether a schema accepts an object with only `name`, and one with only `id`. */
type Acceptance = readonly [name: boolean, id: boolean];
const CASES: readonly [title: string, schema: object, request: Acceptance, response: Acceptance][] = [
  ['its own members', { ...user, required: ['id', 'name'] }, [true, false], [false, false]],
  ['a reference', ref('Tree'), [true, true], [false, true]],
  [
    'a component that another part of allOf completes',
    { allOf: [ref('Demands'), ref('Owner')] },
    [true, false],
    [false, false],
  ],
  ['the component alone', ref('Demands'), [false, false], [false, false]],
  ['required beside allOf', { ...required('id'), allOf: [ref('Owner')] }, [true, true], [false, true]],
  ['allOf in allOf', { allOf: [required('id'), { allOf: [ref('Owner')] }] }, [true, true], [false, true]],
  [
    'a property behind a reference',
    { ...required('id'), properties: { id: ref('Id') } },
    [true, true],
    [false, true],
  ],
  [
    'a property behind allOf',
    { ...required('id'), properties: { id: { allOf: [ref('Id')] } } },
    [true, true],
    [false, true],
  ],
  ['an alternative', { oneOf: [{ ...required('id'), properties: { id } }] }, [true, true], [false, true]],
  [
    'one alternative of which the other demands it',
    { anyOf: [{ properties: { id }, not: {} }, required('id')] },
    [false, true],
    [false, true],
  ],
  [
    'required beside alternatives',
    { ...required('id'), anyOf: [{ properties: { id } }] },
    [true, true],
    [false, true],
  ],
  ['a condition', { properties: { id }, if: {}, then: required('id') }, [true, true], [false, true]],
  [
    'dependentRequired',
    { properties: { id }, dependentRequired: { name: ['id'] } },
    [true, true],
    [false, true],
  ],
  [
    'dependentSchemas',
    { properties: { id }, dependentSchemas: { name: required('id') } },
    [true, true],
    [false, true],
  ],
];

function validatorsOf(
  schema: object,
  openapi: string,
): (direction: Direction | undefined, value: unknown) => boolean {
  const content = { 'application/json': { schema } };
  const paths = { '/a': { post: { operationId: 'a', requestBody: { content }, responses: {} } } };
  const info = { title: 'a', version: '1' };
  const snapshot = new ApiRegistry().put('a', { openapi, info, paths, components: { schemas: SCHEMAS } });
  const pointer = snapshot.operations[0]?.bodies[0]?.pointer ?? '';
  const compiler = new SchemaCompiler(snapshot);
  return (direction, value) => compiler.compile(pointer, { direction })(value);
}

describe('required readOnly and writeOnly members', () => {
  for (const openapi of ['3.0.3', '3.1.0']) {
    for (const [title, schema, request, response] of CASES) {
      it(`direction: requires readOnly and writeOnly members in one direction with ${title} (${openapi})`, () => {
        const accepts = validatorsOf(schema, openapi);
        const values = [{ name: 'a' }, { id: 1 }];
        assert.deepEqual(
          values.map((value) => accepts('request', value)),
          request,
        );
        assert.deepEqual(
          values.map((value) => accepts('response', value)),
          response,
        );
        assert.deepEqual(
          values.map((value) => accepts(undefined, value)),
          response,
        );
      });
    }
  }

  it('direction: applies at any depth of arrays and objects', () => {
    const accepts = validatorsOf({ type: 'array', items: { properties: { owner: ref('User') } } }, '3.1.0');
    assert.equal(accepts('request', [{ owner: { name: 'a', secret: 'b' } }]), true);
    assert.equal(accepts('request', [{ owner: { name: 'a', id: 1 } }]), false);
    assert.equal(accepts('response', [{ owner: { name: 'a', id: 1 } }]), true);
    assert.equal(accepts('response', [{ owner: { name: 'a', secret: 'b' } }]), false);
    const tree = validatorsOf(ref('Tree'), '3.0.3');
    assert.equal(tree('request', { children: [{ children: [{}] }] }), true);
    assert.equal(tree('response', { id: 1, children: [{ id: 2, children: [{}] }] }), false);
  });

  it('direction: accepts a member in the other direction if it matches its schema', () => {
    const accepts = validatorsOf(ref('User'), '3.1.0');
    assert.equal(accepts('request', { id: 7, name: 'a', secret: 'b' }), true);
    assert.equal(accepts('request', { id: 'x', name: 'a', secret: 'b' }), false);
    assert.equal(accepts('response', { id: 7, name: 'a', secret: 5 }), false);
  });
});
