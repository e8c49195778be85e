// test:all: 10 s of generated fragments; ../../property/document-references.test.ts represents it
/**
 * Tests fragments of a hostile worker. Each one is rejected with a ContractError or has no effect on
 * other contracts, takes little time, and the served document stays the same.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../src/contract/errors.ts';
import { ApiRegistry, SchemaCompiler } from '../../../src/openapi/index.ts';

/**
 * Maximum CPU time of one fragment, in ms. The slowest takes about 200 ms on an idle machine. Work
 * that grows faster than its input takes minutes.
 */
const MAX_CPU = 2000;

const good = { paths: { '/good/{id}': { get: { 'x-event-name': 'good.get' } } } };

/** Creates a fragment with one operation. */
const operation = (members: object): object => ({
  paths: { '/a': { post: { 'x-event-name': 'a', ...members } } },
});
const schema = (value: unknown): object =>
  operation({ requestBody: { content: { 'application/json': { schema: value } } } });
const components = (schemas: object, runValidator: unknown = { $ref: '#/components/schemas/A' }): object => ({
  ...schema(runValidator),
  components: { schemas },
});
const parameter = (value: unknown): object => operation({ parameters: [value] });

function nested(depth: number, wrap: (inner: unknown) => unknown, inner: unknown = {}): unknown {
  let value = inner;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

function many<T>(count: number, make: (n: number) => [string, T]): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => make(n)));
}

/** Values that have the wrong type in nearly every place. */
const WRONG: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'text',
  [],
  [[]],
  [null],
  {},
  { $ref: 5 },
  { $ref: '#' },
  [{}],
  'a'.repeat(5000),
];

/** Fragments with a given value, by the place of the value. */
const PLACES: Readonly<Record<string, (value: unknown) => unknown>> = {
  openapi: (value) => ({ ...good, openapi: value }),
  info: (value) => ({ ...good, info: value }),
  tags: (value) => ({ ...good, tags: value }),
  tag: (value) => ({ ...good, tags: [value] }),
  servers: (value) => ({ ...good, servers: value }),
  paths: (value) => ({ paths: value }),
  webhooks: (value) => ({ ...good, webhooks: value }),
  components: (value) => ({ ...good, components: value }),
  schemas: (value) => ({ ...good, components: { schemas: value } }),
  securitySchemes: (value) => ({ ...good, components: { securitySchemes: value } }),
  pathItem: (value) => ({ paths: { '/a': value } }),
  get: (value) => ({ paths: { '/a': { get: value } } }),
  'x-event-name': (value) => operation({ 'x-event-name': value }),
  operationId: (value) => operation({ operationId: value }),
  tagsOfOperation: (value) => operation({ tags: value }),
  description: (value) => operation({ description: value }),
  security: (value) => operation({ security: value }),
  requirement: (value) => operation({ security: [value] }),
  parameters: (value) => operation({ parameters: value }),
  parameter: (value) => parameter(value),
  parameterName: (value) => parameter({ name: value, in: 'query' }),
  parameterIn: (value) => parameter({ name: 'a', in: value }),
  style: (value) => parameter({ name: 'a', in: 'query', style: value }),
  explode: (value) => parameter({ name: 'a', in: 'query', explode: value }),
  contentOfParameter: (value) => parameter({ name: 'a', in: 'query', content: value }),
  field: (value) => parameter({ name: 'a', in: 'query', 'x-event-field': value }),
  requestBody: (value) => operation({ requestBody: value }),
  content: (value) => operation({ requestBody: { content: value } }),
  mediaType: (value) => operation({ requestBody: { content: { 'application/json': value } } }),
  encoding: (value) =>
    operation({ requestBody: { content: { 'application/json': { schema: {}, encoding: value } } } }),
  responses: (value) => operation({ responses: value }),
  response: (value) => operation({ responses: { 200: value, 400: value } }),
  callbacks: (value) => operation({ callbacks: value }),
  timeout: (value) => operation({ 'x-timeout-ms': value }),
  body: (value) => operation({ 'x-event-body': value }),
  schema,
  component: (value) => components({ A: value }),
  ...Object.fromEntries(
    [
      'type',
      'enum',
      'const',
      'required',
      'properties',
      'patternProperties',
      'additionalProperties',
      'propertyNames',
      'items',
      'prefixItems',
      'contains',
      'allOf',
      'anyOf',
      'oneOf',
      'not',
      'if',
      'then',
      'else',
      'pattern',
      'format',
      'minLength',
      'maxItems',
      'multipleOf',
      'minimum',
      'exclusiveMinimum',
      'uniqueItems',
      'dependentRequired',
      'dependentSchemas',
      'dependencies',
      'discriminator',
      '$ref',
      '$defs',
      '$id',
      '$anchor',
      '$dynamicRef',
      '$async',
      'nullable',
      'default',
      'examples',
      'title',
      'unevaluatedProperties',
      'contentSchema',
    ].map((keyword) => [`keyword ${keyword}`, (value: unknown) => schema({ [keyword]: value })]),
  ),
};

const deepArray = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
const cycle: Record<string, unknown> = { paths: {} };
cycle['self'] = cycle;

/** Fragments that target a specific weakness. */
const ATTACKS: Readonly<Record<string, unknown>> = {
  'no JSON': '{"paths": {',
  'not even an object': '[]',
  'text of nothing': '',
  'bytes of no text': Buffer.from([0xff, 0xfe, 0x00]),
  'JSON of 100,000 levels': deepArray,
  'JSON of 100,000 levels inside': `{"paths":${deepArray}}`,
  'a value that holds itself': cycle,
  'a function': { paths: () => undefined },
  'a date': { paths: new Date() },
  'a number that is none': { ...good, x: NaN },
  'a bigint': { ...good, x: 1n },
  'more than a megabyte': { ...good, 'x-fill': 'x'.repeat(1_100_000) },
  'a megabyte of keys': { ...good, 'x-fill': many(200_000, (n) => [`k${n}`, 1]) },
  'an array of a billion': { ...good, 'x-fill': new Array(1e9) },
  '__proto__ as a path': '{"paths":{"__proto__":{"get":{}}}}',
  '__proto__ as a property':
    '{"paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"properties":{"__proto__":{"type":"string"}}}}}}}}}}}',
  '__proto__ as a component':
    '{"paths":{},"components":{"schemas":{"__proto__":{"type":"object","polluted":true}}}}',
  '__proto__ of everything': '{"__proto__":{"polluted":true},"paths":{"/a":{"__proto__":{"polluted":true}}}}',
  'constructor and prototype as names': {
    ...components(
      { constructor: { type: 'string' }, prototype: { type: 'object', properties: { polluted: {} } } },
      { $ref: '#/components/schemas/prototype' },
    ),
  },
  'toString as an event': operation({ 'x-event-name': 'toString' }),
  'hasOwnProperty as a field': schema({
    type: 'object',
    properties: { hasOwnProperty: { type: 'string' }, constructor: { type: 'integer' } },
    required: ['constructor'],
  }),
  '__proto__ as a field': parameter({ name: '__proto__', in: 'query' }),
  '__proto__ as a field by x-event-field': parameter({
    name: 'a',
    in: 'query',
    'x-event-field': '__proto__',
  }),
  'a reference to itself': components({ A: { $ref: '#/components/schemas/A' } }),
  'references in a circle': components({
    A: { $ref: '#/components/schemas/B' },
    B: { $ref: '#/components/schemas/C' },
    C: { $ref: '#/components/schemas/A' },
  }),
  'a circle by allOf': components({
    A: { allOf: [{ $ref: '#/components/schemas/B' }] },
    B: { anyOf: [{}, { not: { $ref: '#/components/schemas/A' } }] },
  }),
  'a circle by if and else': components({ A: { if: {}, else: { $ref: '#/components/schemas/A' } } }),
  'a circle of parameters': {
    ...operation({ parameters: [{ $ref: '#/components/parameters/A' }] }),
    components: { parameters: { A: { $ref: '#/components/parameters/A' } } },
  },
  'a circle of path items': {
    paths: { '/a': { $ref: '#/components/pathItems/A' } },
    components: { pathItems: { A: { $ref: '#/components/pathItems/A' } } },
  },
  'a circle of responses': {
    ...operation({ responses: { 200: { $ref: '#/components/responses/A' } } }),
    components: { responses: { A: { $ref: '#/components/responses/A' } } },
  },
  'a chain of 20,000 references': components({
    ...many(20_000, (n) => [`A${n}`, { $ref: `#/components/schemas/A${n + 1}` }]),
    A20000: {},
    A: { $ref: '#/components/schemas/A0' },
  }),
  'a chain of 5,000 properties': components({
    ...many(5000, (n) => [`A${n}`, { properties: { x: { $ref: `#/components/schemas/A${n + 1}` } } }]),
    A5000: {},
    A: { $ref: '#/components/schemas/A0' },
  }),
  'each twice the one before, 200 times': components({
    ...many(200, (n) => [
      `A${n}`,
      {
        type: 'object',
        allOf: [{ $ref: `#/components/schemas/A${n + 1}` }, { $ref: `#/components/schemas/A${n + 1}` }],
      },
    ]),
    A200: {},
    A: { $ref: '#/components/schemas/A0' },
  }),
  'a tangle of names': components({
    ...many(150, (n) => [
      `A${n}`,
      {
        type: 'object',
        properties: many(40, (m) => [`p${n}_${m}`, {}]),
        allOf: [{ $ref: `#/components/schemas/A${n + 1}` }],
      },
    ]),
    A150: {},
    A: { anyOf: Array.from({ length: 150 }, (_, n) => ({ $ref: `#/components/schemas/A${n}` })) },
  }),
  'references into everything': {
    ...schema({}),
    'x-big': many(50, (n) => [`k${n}`, nested(20, (inner) => ({ properties: { x: inner } }))]),
    components: {
      schemas: many(1000, (n) => [`A${n}`, { $ref: `#/x-big/k${n % 50}${'/properties/x'.repeat(n % 20)}` }]),
    },
  },
  'references to the whole document': components(
    many(2000, (n) => [`A${n}`, { properties: { x: { $ref: '#' } } }]),
  ),
  'a reference that climbs': schema({ $ref: `#/${'../'.repeat(1000)}etc` }),
  'a reference to the network': schema({ $ref: 'https://evil.example/x.json' }),
  'a reference to a file': schema({ $ref: 'file:///etc/passwd' }),
  'a reference with a broken escape': schema({ $ref: '#/%E0%A4%A' }),
  'a reference as long as it may be': schema({ $ref: `#/${'a/'.repeat(200_000)}` }),
  '60,000 references that climb': components(many(15_000, (n) => [`A${n}`, { $ref: `#/nowhere${n}` }])),
  'local definitions everywhere': schema({
    properties: many(10_000, (n) => [`p${n}`, { $defs: { x: {} }, items: { $ref: '#/$defs/x' } }]),
  }),
  'two $ids that are one': components({
    A: { $id: 'urn:x', type: 'string' },
    B: { $id: 'urn:x', type: 'number' },
    C: { $id: 'http://json-schema.org/draft/2020-12/schema' },
  }),
  'an $id in an example': {
    ...schema({ examples: [{ $id: 5 }], default: { $id: {} } }),
    'x-y': { $id: 'component0' },
  },
  $async: schema({ $async: true, type: 'object' }),
  $dynamicRef: schema({ $dynamicAnchor: 'a', properties: { x: { $dynamicRef: '#a' } } }),
  'ajv’s own keywords': schema({
    instanceof: 'Function',
    typeof: 'object',
    $data: '/x',
    formatMinimum: { $data: '1' },
    discriminator: { propertyName: 'a' },
    type: 'object',
    oneOf: [{}],
  }),
  'code in names': schema({
    type: 'object',
    properties: { "'];process.exit(1);//": { type: 'string' }, '`${process.exit(1)}`': {}, '\u2028': {} },
    required: ['\\"'],
  }),
  'code in a pattern': schema({ pattern: '`];process.exit(1)//' }),
  'code in a format': schema({ format: '"];process.exit(1)//' }),
  'a format that is a member of every object': schema({ format: 'constructor' }),
  'an enum of 50,000': schema({ enum: Array.from({ length: 50_000 }, (_, n) => n) }),
  'anyOf of 20,000': schema({ anyOf: Array.from({ length: 20_000 }, (_, n) => ({ const: n })) }),
  '20,000 properties': schema({
    type: 'object',
    properties: many(20_000, (n) => [`p${n}`, { type: 'string' }]),
  }),
  'allOf 60 deep': schema(nested(25, (inner) => ({ allOf: [inner] }))),
  'not 60 deep': schema(nested(50, (inner) => ({ not: inner }))),
  'items 300 deep': schema(nested(300, (inner) => ({ items: inner }))),
  'a pattern of 100,000': schema({ pattern: 'a'.repeat(100_000) }),
  'a pattern of groups': schema({ pattern: '('.repeat(400) + ')'.repeat(400) }),
  'a pattern that repeats repeats': schema({ pattern: '(((a{1,99}){1,99}){1,99}){1,99}' }),
  'a pattern of a huge count': schema({ pattern: 'a{1,99999999999}' }),
  'a pattern that is none': schema({ pattern: '(' }),
  'a pattern that looks around': schema({ pattern: '^(?=(a+)+$)' }),
  'a pattern that refers back': schema({ pattern: '^(a+)+\\1$' }),
  '1,000 patterns': components(many(1000, (n) => [`A${n}`, { pattern: `^(a|b${n}|c*)*$` }])),
  'patternProperties that look around': schema({ patternProperties: { '^(?=(a+)+$)b': {} } }),
  'patternProperties of a long pattern': schema({ patternProperties: { ['a'.repeat(2000)]: {} } }),
  'too many operations': { paths: many(6000, (n) => [`/p${n}`, { get: {} }]) },
  'too many methods of nothing': { paths: many(5001, (n) => [`/p${n}`, {}]) },
  'too many parameters': operation({
    parameters: Array.from({ length: 5000 }, (_, n) => ({ name: `p${n}`, in: 'query' })),
  }),
  'parameters by the path': {
    paths: { [`/${Array.from({ length: 300 }, (_, n) => `{p${n}}`).join('/')}`]: { get: {} } },
  },
  'a long path': { paths: { [`/${'a'.repeat(2000)}`]: { get: {} } } },
  'a path of many names': { paths: { [`/${'{a}-'.repeat(200)}`]: { get: {} } } },
  'a path without a slash': { paths: { a: { get: {} } } },
  'a path that is empty': { paths: { '': { get: {} } } },
  'a path with a query': { paths: { '/a?b=c': { get: {} } } },
  'a path of braces': { paths: { '/{{{}}}': { get: {} } } },
  'a path with a nameless parameter': { paths: { '/{}': { get: {} } } },
  'a path with control characters': { paths: { '/a\r\nSet-Cookie: x': { get: {} } } },
  'a path of two parameters in one': { paths: { '/{a}{b}': { get: {} } } },
  'a path with dot segments': { paths: { '/../../etc/passwd': { get: {} } } },
  'a path with an asterisk': { paths: { '/*': { get: {} } } },
  'a path with colons': { paths: { '/:a(.*)/::b': { get: {} } } },
  'the path of another contract': { paths: { '/good/{other}': { get: { 'x-event-name': 'bad.get' } } } },
  'the event of another contract': operation({ 'x-event-name': 'good.get' }),
  'the same path twice': { paths: { '/a/{x}': { get: {} }, '/a/{y}': { get: {} } } },
  'an event of the protocol': operation({ 'x-event-name': 'heartbeat' }),
  'an event of control characters': operation({ 'x-event-name': 'a\u0000\u001b[2J' }),
  'an unpaired surrogate as an event': operation({ 'x-event-name': '\ud800' }),
  'a long event': operation({ 'x-event-name': 'a'.repeat(1000) }),
  'an undefined security scheme': operation({ security: [{ admin: [] }] }),
  'a component of the gateway’s own name': components(
    { A: {}, ProblemDetails: { type: 'string' } },
    { $ref: '#/components/schemas/ProblemDetails' },
  ),
  'components with unusual names': components({
    'a b/c~d': {},
    '': {},
    '../..': {},
    '%41': {},
    A: { $ref: '#/components/schemas/a%20b~1c~0d' },
  }),
  'components whose names collide after conversion': components(
    many(3000, (n) => [`A${'!?'[n % 2]}${n % 3 === 0 ? '!' : '?'}${'!'.repeat(n % 50)}${n}`, {}]),
    {},
  ),
  'a description of the maximum length': operation({ description: 'x'.repeat(500_000) }),
  'HTML in a description': operation({ description: '<img src=x onerror=alert(1)>', summary: '</script>' }),
  'a timeout beyond timers': operation({ 'x-timeout-ms': 2 ** 40 }),
  'a Swagger 2.0 document': { swagger: '2.0', paths: {} },
  'OpenAPI 9': { openapi: '9.0.0', paths: {} },
};

function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

describe('a hostile fragment', () => {
  const registry = new ApiRegistry();
  registry.put('good', good, { kind: 'worker' });
  const { prototype } = Object;
  const members = Object.getOwnPropertyNames(prototype).sort();
  let count = 0;
  let rejected = 0;
  let slowest = 0;

  /** Adds the fragment and uses its operations as a gateway does. */
  const attack = (fragment: unknown): void => {
    const before = registry.snapshot();
    const start = cpu();
    try {
      const snapshot = registry.put('evil', fragment, { kind: 'worker' });
      const took = cpu() - start;
      slowest = Math.max(slowest, took);
      JSON.stringify(snapshot.document);
      const compiler = new SchemaCompiler(snapshot);
      for (const { parameters, bodies, source } of snapshot.operations.slice(0, 5)) {
        if (source !== 'evil') continue;
        for (const { pointer } of [...parameters, ...bodies]) runValidator(compiler, pointer);
      }
      registry.remove('evil');
      assert.ok(took < MAX_CPU, `took ${took} ms`);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      rejected += 1;
      const took = cpu() - start;
      slowest = Math.max(slowest, took);
      assert.ok(took < MAX_CPU, `took ${took} ms until: ${error.message.slice(0, 200)}`);
      assert.ok(error.message.startsWith('evil: '), error.message.slice(0, 200));
      assert.equal(error.location.source, 'evil');
      assert.equal(registry.snapshot(), before, 'the snapshot is unchanged');
    }
    assert.deepEqual(registry.names(), ['good']);
    assert.deepEqual(
      registry.snapshot().operations.map(({ path, eventName }) => [path, eventName]),
      [['/good/{id}', 'good.get']],
    );
    assert.deepEqual(Object.getOwnPropertyNames(prototype).sort(), members);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    count += 1;
  };

  for (const [what, fragment] of Object.entries(ATTACKS))
    it(`hostile fragment: ${what} causes at most a ContractError`, () => attack(fragment));
  for (const [place, put] of Object.entries(PLACES)) {
    it(`hostile fragment: a wrong value at ${place} causes at most a ContractError`, () => {
      for (const value of WRONG) attack(put(value));
    });
  }
  it('hostile fragment: several hundred cases exist', () => {
    assert.ok(count > 1000, String(count));
    assert.ok(rejected > 500, String(rejected));
    console.log(
      `${count} fragments, ${rejected} rejected, the slowest took ${Math.round(slowest)} ms of CPU`,
    );
  });
});

/** Compiles and runs a validator. Schemas that cannot be compiled cause a ContractError. */
function runValidator(compiler: SchemaCompiler, pointer: string): void {
  try {
    const validate = compiler.compile(pointer);
    for (const value of [null, 'a'.repeat(50) + '!', { constructor: 1, a: [{}] }, [[[]]], 5]) validate(value);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
  }
}
