/** TypeScript types of single JSON Schemas. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SchemaTypes } from '../../../../src/cli/types/schema-types.ts';
import type { Json } from '../../../../src/contract/json.ts';
import { parseExact } from '../../../../src/core/json/exact-json.ts';

const typeOf = (schema: Json, schemas: Record<string, Json> = {}) =>
  new SchemaTypes(schemas).of(schema, 'request');

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

describe('types of schemas', () => {
  const cases: readonly (readonly [kind: string, schema: Json, type: string])[] = [
    ['any value', true, 'unknown'],
    ['any value, as an empty schema', {}, 'unknown'],
    ['no value', false, 'never'],
    ['string with a format', { type: 'string', format: 'date-time' }, 'string'],
    ['integer', { type: 'integer', minimum: 1 }, 'number'],
    ['boolean', { type: 'boolean' }, 'boolean'],
    ['null', { type: 'null' }, 'null'],
    ['nullable', { type: ['string', 'null'] }, 'string | null'],
    ['nullable reference', { anyOf: [{ type: 'integer' }, { type: 'null' }] }, 'number | null'],
    ['const', { const: "it's" }, String.raw`'it\'s'`],
    ['const with quotes and a line break', { const: '"a"\n' }, String.raw`'"a"\n'`],
    ['const object', { const: { a: [1, null] } }, '{ a: [1, null] }'],
    ['enum', { type: 'string', enum: ['a', 'b', 'a'] }, "'a' | 'b'"],
    ['enum of several types', { enum: [1, true, null, 'x'] }, "1 | true | null | 'x'"],
    [
      'enum with a number that a double cannot represent',
      parseExact('{"enum":[12345678901234567890]}') as Json,
      'number',
    ],
    [
      'object',
      { properties: { a: { type: 'string' }, b: {} }, required: ['a'] },
      '{ a: string; b?: unknown }',
    ],
    ['object of anything', { type: 'object' }, '{ [key: string]: unknown }'],
    ['object without members', { type: 'object', additionalProperties: false }, '{ [key: string]: never }'],
    ['map', { type: 'object', additionalProperties: { type: 'number' } }, '{ [key: string]: number }'],
    [
      'map by pattern',
      { patternProperties: { '^x': { type: 'number' } }, additionalProperties: false },
      '{ [key: string]: number }',
    ],
    [
      'members and additional members',
      { properties: { a: { type: 'string' } }, additionalProperties: { type: 'number' } },
      '{ a?: string; [key: string]: unknown }',
    ],
    ['closed object', { properties: { a: {} }, additionalProperties: false }, '{ a?: unknown }'],
    ['required member without a schema', { required: ['a'] }, '{ a: unknown }'],
    [
      'names that are not identifiers',
      { properties: { 'a-b': {}, "c'd": {} } },
      String.raw`{ 'a-b'?: unknown; 'c\'d'?: unknown }`,
    ],
    ['array', { type: 'array', items: { type: 'string' } }, 'string[]'],
    ['array of a union', { items: { type: ['string', 'number'] } }, '(string | number)[]'],
    ['array of anything', { type: 'array' }, 'unknown[]'],
    [
      'tuple',
      { prefixItems: [{ type: 'string' }, { type: 'number' }], items: false, minItems: 2 },
      '[string, number]',
    ],
    [
      'open tuple with optional items',
      {
        prefixItems: [{ type: 'string' }, { type: ['number', 'null'] }],
        items: { type: 'boolean' },
        minItems: 1,
      },
      '[string, (number | null)?, ...boolean[]]',
    ],
    ['allOf', { allOf: [ref('A'), { properties: { b: {} } }] }, 'A & { b?: unknown }'],
    ['allOf that adds only rules', { type: 'string', allOf: [{ pattern: 'x' }] }, 'string'],
    ['allOf with a union', { allOf: [ref('A'), { anyOf: [ref('B'), ref('C')] }] }, 'A & (B | C)'],
    ['anyOf', { anyOf: [ref('A'), { type: 'string' }, { type: 'string' }] }, 'A | string'],
    ['oneOf', { oneOf: [{ allOf: [ref('A'), ref('B')] }, ref('C')] }, '(A & B) | C'],
    ['anyOf with any value', { anyOf: [{ type: 'string' }, {}] }, 'unknown'],
    ['array of an intersection', { items: { allOf: [ref('A'), ref('B')] } }, '(A & B)[]'],
    ['reference with a description', { ...ref('A'), description: 'x' }, 'A'],
    [
      'alternatives that only require members',
      { type: 'object', properties: { a: {}, b: {} }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      '{ a?: unknown; b?: unknown }',
    ],
  ];
  for (const [kind, schema, type] of cases) {
    it(kind, () => assert.equal(typeOf(schema, { A: true, B: true, C: true }), type));
  }

  it('descriptions and deprecation become comments', () => {
    const schema = {
      properties: {
        a: { type: 'string', description: 'Ends no comment: */' },
        b: { type: 'string', description: 'One line.\n\nAnother line.', deprecated: true },
      },
    };
    assert.equal(
      typeOf(schema),
      String.raw`{
  /** Ends no comment: *\/ */
  a?: string;
  /**
   * One line.
   *
   * Another line.
   * @deprecated
   */
  b?: string;
}`,
    );
  });

  it('a long union has a line for each alternative', () => {
    const values = Array.from({ length: 12 }, (_, at) => `alternative-${at}`);
    const lines = typeOf({ enum: values }).split('\n');
    assert.deepEqual(lines, ['', ...values.map((value) => `  | '${value}'`)]);
  });
});

describe('types of components', () => {
  it('components become named types, also when they contain themselves', () => {
    const types = new SchemaTypes({
      Tree: {
        type: 'object',
        description: 'A tree.',
        properties: { nodes: { type: 'array', items: ref('Tree') } },
      },
      Colour: { enum: ['red', 'blue'] },
      Unused: { type: 'string' },
    });
    assert.equal(types.of({ anyOf: [ref('Tree'), ref('Colour')] }, 'response'), 'Tree | Colour');
    assert.deepEqual(types.declarations(), [
      "export type Colour = 'red' | 'blue';",
      '/** A tree. */\nexport interface Tree {\n  nodes?: Tree[];\n}',
    ]);
  });

  it('names become unique identifiers and do not replace other names of the file', () => {
    const names = ['new-task', 'NewTask', '2d', 'events', 'Partial', 'string'];
    const types = new SchemaTypes(Object.fromEntries(names.map((name) => [name, true])));
    const given = names.map((name) => types.of(ref(name), 'request'));
    assert.deepEqual(given, ['NewTask', 'NewTask2', '_2d', 'Events2', 'Partial2', 'String']);
  });

  it('a component with readOnly and writeOnly members has a type for data and a type for replies', () => {
    const types = new SchemaTypes({
      User: {
        type: 'object',
        required: ['id', 'password', 'name'],
        properties: {
          id: { type: 'integer', readOnly: true },
          password: { type: 'string', writeOnly: true },
          name: ref('Name'),
        },
      },
      Name: { type: 'string' },
      Users: { type: 'array', items: ref('User') },
    });
    assert.equal(types.of(ref('Users'), 'request'), 'UsersInput');
    assert.equal(types.of(ref('Users'), 'response'), 'Users');
    const declarations = types.declarations();
    assert.deepEqual(declarations, [
      'export type Name = string;',
      'export interface User {\n  id: number;\n  password?: string;\n  name: Name;\n}',
      'export interface UserInput {\n  id?: number;\n  password: string;\n  name: Name;\n}',
      'export type Users = User[];',
      'export type UsersInput = UserInput[];',
    ]);
  });
});
