import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../../src/contract/errors.ts';
import { at, type Json } from '../../../../src/contract/json.ts';
import { ApiRegistry, type Operation, type ParameterBinding } from '../../../../src/openapi/index.ts';

type Fields = Record<string, unknown>;

/** Returns the operation of a document whose only one is PUT /things/{id}. */
function read(operation: Fields, item: Fields = {}, more: Fields = {}): Operation {
  const document = { openapi: '3.1.0', paths: { '/things/{id}': { ...item, put: operation } }, ...more };
  const [found] = new ApiRegistry().put('test', document).operations;
  assert.ok(found);
  return found;
}

function body(schema: unknown, mediaType = 'application/json'): Fields {
  return { requestBody: { content: { [mediaType]: { schema } } } };
}

function shorten({ name, in: place, style, explode, required }: ParameterBinding): unknown[] {
  return [name, place, style, explode, required];
}

describe('operations: parameters', () => {
  it('operations: give parameters the default styles of OpenAPI', () => {
    const schema = { type: 'string' };
    const { parameters } = read({
      parameters: [
        { name: 'id', in: 'path', required: true, schema },
        { name: 'q', in: 'query', schema },
        { name: 'X-H', in: 'header', required: true, schema },
        { name: 'c', in: 'cookie', schema },
        { name: 'd', in: 'query', style: 'deepObject', explode: true, schema: { type: 'object' } },
        { name: 'p', in: 'query', style: 'pipeDelimited', schema: { type: 'array' } },
        { name: 'f', in: 'query', explode: false, allowReserved: true, allowEmptyValue: true, schema },
      ],
    });
    assert.deepEqual(parameters.map(shorten), [
      ['id', 'path', 'simple', false, true],
      ['q', 'query', 'form', true, false],
      ['X-H', 'header', 'simple', false, true],
      ['c', 'cookie', 'form', true, false],
      ['d', 'query', 'deepObject', true, false],
      ['p', 'query', 'pipeDelimited', false, false],
      ['f', 'query', 'form', false, false],
    ]);
    assert.deepEqual([parameters[6]?.allowReserved, parameters[6]?.allowEmptyValue], [true, true]);
  });

  it('operations: merge the parameters of path item and operation, which takes precedence', () => {
    const { parameters } = read(
      {
        parameters: [
          { $ref: '#/components/parameters/Id' },
          { name: 'page', in: 'query', schema: { type: 'integer' } },
        ],
      },
      {
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'page', in: 'query', schema: { type: 'string' } },
          { name: 'sort', in: 'query', schema: { type: 'string' } },
        ],
      },
      {
        components: {
          parameters: {
            Id: { name: 'id', in: 'path', required: true, schema: { $ref: '#/components/schemas/Id' } },
          },
          schemas: { Id: { type: 'integer' } },
        },
      },
    );
    assert.deepEqual(
      parameters.map(({ name, schema }) => [name, schema]),
      [
        ['id', { $ref: '#/components/schemas/Id' }],
        ['page', { type: 'integer' }],
        ['sort', { type: 'string' }],
      ],
    );
    assert.equal(parameters[0]?.pointer, '/components/parameters/Id/schema');
  });

  it('operations: name the field of a parameter after the parameter, x-event-field, or its location if names clash', () => {
    const schema = {};
    const { parameters } = read({
      parameters: [
        { name: 'id', in: 'query', schema },
        { name: 'id', in: 'header', schema },
        { name: 'X-Tenant', in: 'header', schema, 'x-event-field': 'tenant' },
      ],
    });
    assert.deepEqual(
      parameters.map(({ in: place, field }) => `${place} ${field}`),
      ['query query_id', 'header header_id', 'header tenant', 'path id'],
    );
  });

  it('operations: ignore the header parameters Accept, Content-Type and Authorization', () => {
    const names = ['Accept', 'content-type', 'AUTHORIZATION', 'X-Mine'];
    const { parameters } = read({ parameters: names.map((name) => ({ name, in: 'header', schema: {} })) });
    assert.deepEqual(
      parameters.map(({ name }) => name),
      ['X-Mine', 'id'],
    );
  });

  it('operations: accept parameters with content instead of a schema', () => {
    const { parameters } = read({
      parameters: [
        { name: 'filter', in: 'query', content: { 'application/JSON': { schema: { type: 'object' } } } },
      ],
    });
    assert.equal(parameters[0]?.contentType, 'application/json');
    assert.equal(
      parameters[0]?.pointer,
      '/paths/~1things~1{id}/put/parameters/0/content/application~1JSON/schema',
    );
    assert.deepEqual(parameters[0]?.schema, { type: 'object' });
  });

  it('operations: treat undeclared path parameters as strings', () => {
    const { parameters } = read({});
    assert.deepEqual(parameters.map(shorten), [['id', 'path', 'simple', false, true]]);
    assert.deepEqual(parameters[0]?.schema, { type: 'string' });
  });

  it('operations: number a path parameter name that occurs twice', () => {
    const { operations } = new ApiRegistry().put('a', {
      paths: {
        '/a/{id}/b/{id}': {
          get: { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }] },
        },
      },
    });
    assert.equal(operations[0]?.path, '/a/{id}/b/{id_2}');
    assert.deepEqual(
      operations[0]?.parameters.map(({ name, schema }) => [name, schema]),
      [
        ['id', { type: 'integer' }],
        ['id_2', { type: 'integer' }],
      ],
    );
  });

  for (const [what, parameter, reason] of [
    [
      'in a place unknown',
      { name: 'a', in: 'body' },
      /the parameter a must be in path, query, header, cookie/,
    ],
    ['without a name', { in: 'query' }, /must have a name/],
    ['in a style that does not fit', { name: 'a', in: 'query', style: 'matrix' }, /style "matrix"/],
    ['with two media types', { name: 'a', in: 'query', content: { a: {}, b: {} } }, /one media type/],
    [
      'with a flag that is none',
      { name: 'a', in: 'query', required: 'yes' },
      /must set required to true or false/,
    ],
  ] as const) {
    it(`operations: reject parameters ${what}`, () => {
      assert.throws(() => read({ parameters: [parameter] }), { name: 'ContractError', message: reason });
    });
  }

  it('operations: reject a parameter that is defined twice', () => {
    const twice = { name: 'X-A', in: 'header', schema: {} };
    assert.throws(
      () => read({ parameters: [twice, { ...twice, name: 'x-a' }] }),
      /header parameter x-a is defined twice/,
    );
    const fields = ['a', 'b'].map((name) => ({ name, in: 'query', schema: {}, 'x-event-field': 'same' }));
    assert.throws(() => read({ parameters: fields }), /two parameters use the field same/);
  });
});

describe('operations: bodies', () => {
  const object = (...names: string[]): Fields => ({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, {}])),
  });

  it('operations: have body mode none without a request body', () => {
    const { bodyMode, bodies, bodyRequired } = read({});
    assert.deepEqual([bodyMode, bodies, bodyRequired], ['none', [], false]);
  });

  it('operations: list bodies by media type and resolve references', () => {
    const operation = read(
      { requestBody: { $ref: '#/components/requestBodies/Thing' } },
      {},
      {
        components: {
          requestBodies: {
            Thing: {
              required: true,
              content: {
                'application/json': { schema: object('title') },
                'application/x-www-form-urlencoded': {
                  schema: object('title', 'tags'),
                  encoding: { tags: { style: 'pipeDelimited', contentType: 'text/plain' } },
                },
              },
            },
          },
        },
      },
    );
    assert.equal(operation.bodyRequired, true);
    assert.equal(operation.bodyMode, 'flat');
    assert.deepEqual(
      operation.bodies.map(({ mediaType, pointer, encoding }) => [mediaType, pointer, encoding]),
      [
        ['application/json', '/components/requestBodies/Thing/content/application~1json/schema', {}],
        [
          'application/x-www-form-urlencoded',
          '/components/requestBodies/Thing/content/application~1x-www-form-urlencoded/schema',
          { tags: { style: 'pipeDelimited', explode: false, contentType: 'text/plain' } },
        ],
      ],
    );
  });

  for (const [what, schema, mode] of [
    ['an object', object('title'), 'flat'],
    ['an object with a field that bears a parameter’s name', object('title', 'id'), 'nested'],
    ['an object that only requires such a field', { type: 'object', required: ['id'] }, 'nested'],
    ['an array', { type: 'array' }, 'nested'],
    ['an object or null', { ...object('title'), type: ['object', 'null'] }, 'nested'],
    ['anything', {}, 'nested'],
    ['all of an object and more', { allOf: [object('a'), { properties: { b: {} } }] }, 'flat'],
    ['one of two objects', { oneOf: [object('a'), object('b')] }, 'flat'],
    ['one of an object and a string', { oneOf: [object('a'), { type: 'string' }] }, 'nested'],
    ['a parameter’s name deep in a branch', { anyOf: [object('a'), { allOf: [object('id')] }] }, 'nested'],
    ['a parameter’s name deep in a value', { type: 'object', properties: { a: object('id') } }, 'flat'],
  ] as const) {
    it(`${what}: ${mode}`, () => {
      assert.equal(read(body(schema)).bodyMode, mode);
    });
  }

  it('operations: nest bodies of other media types', () => {
    assert.equal(read(body(object('a'), 'text/plain')).bodyMode, 'nested');
    assert.equal(read(body(object('a'), 'application/merge-patch+json')).bodyMode, 'flat');
  });

  it('operations: follow x-event-body', () => {
    assert.equal(read({ ...body(object('a')), 'x-event-body': 'nested' }).bodyMode, 'nested');
    const flat = (schema: unknown): Operation => read({ ...body(schema), 'x-event-body': 'flat' });
    assert.equal(flat(object('a')).bodyMode, 'flat');
    assert.throws(() => flat(object('id')), /cannot be flat: its field id has the same name as a parameter/);
    assert.throws(
      () => flat({ type: 'array' }),
      /cannot be flat: the schema of application\/json does not require an object/,
    );
    assert.throws(
      () => read({ ...body(object('a')), 'x-event-body': 'both' }),
      /x-event-body must be flat or nested/,
    );
  });

  it('operations: reject a body and a parameter with the same field', () => {
    const parameters = [{ name: 'body', in: 'query', schema: {} }];
    assert.throws(() => read({ ...body({ type: 'array' }), parameters }), ContractError);
    assert.equal(read({ ...body(object('a')), parameters }).bodyMode, 'flat');
  });

  it('operations: record the body mode in the document', () => {
    const document = { paths: { '/a': { post: body({ type: 'array' }) } } };
    const { document: served } = new ApiRegistry().put('a', document);
    assert.equal((served.paths?.['/a']?.post as Fields)['x-event-body'], 'nested');
    assert.equal((served.paths?.['/a']?.post as Fields)['x-event-name'], 'POST /a');
  });
});

describe('operations: extensions, security and replies', () => {
  it('operations: read the extensions', () => {
    const operation = read({
      operationId: 'replaceThing',
      deprecated: true,
      'x-event-name': 'things.replace',
      'x-timeout-ms': 1500,
      'x-idempotent': false,
      'x-etag': true,
      'x-sticky-key': 'id',
      'x-unknown-query': 'ignore',
      'x-sunset': '2030-01-31',
    });
    assert.equal(operation.eventName, 'things.replace');
    assert.equal(operation.operationId, 'replaceThing');
    assert.equal(operation.timeout, 1500);
    assert.equal(operation.idempotent, false);
    assert.equal(operation.etag, true);
    assert.equal(operation.stickyKey, 'id');
    assert.equal(operation.unknownQuery, 'ignore');
    assert.equal(operation.sunset, 'Thu, 31 Jan 2030 00:00:00 GMT');
    assert.equal(operation.deprecated, true);
    assert.equal(operation.source, 'test');
    assert.equal(operation.available, true);
  });

  it('operations: apply defaults', () => {
    const { timeout, idempotent, etag, stickyKey, unknownQuery, sunset, deprecated, security } = read({});
    assert.deepEqual(
      { timeout, idempotent, etag, stickyKey, unknownQuery, sunset, deprecated, security },
      {
        timeout: undefined,
        idempotent: true,
        etag: false,
        stickyKey: undefined,
        unknownQuery: 'reject',
        sunset: undefined,
        deprecated: false,
        security: [],
      },
    );
  });

  it('operations: asynchronous replies, for callers that ask for them or for all', () => {
    const asyncOf = (value: unknown): unknown => read({ 'x-async': value }).async;
    assert.deepEqual([true, false, 'required'].map(asyncOf), ['optional', undefined, 'required']);
    assert.equal(read({ 'x-async': true, 'x-async-timeout-ms': 9 }).asyncTimeout, 9);
    const upload = { 'x-stream': true, content: { 'application/octet-stream': {} } };
    assert.throws(() => read({ 'x-async': true, requestBody: upload }), /cannot be combined with x-stream/);
    const events = { 200: { description: '', content: { 'text/event-stream': {} } } };
    assert.throws(() => read({ 'x-async': true, responses: events }), /of the type text\/event-stream/);
    const file = { 200: { description: '', content: { 'application/pdf': {} } } };
    assert.equal(read({ 'x-async': 'required', responses: file }).async, 'required');
  });

  it('operations: derive idempotency from the method', () => {
    const methods = ['get', 'head', 'put', 'delete', 'options', 'post', 'patch'];
    const item = Object.fromEntries(methods.map((method) => [method, {}]));
    const { operations } = new ApiRegistry().put('a', { paths: { '/a': item } });
    const unsafe = operations.filter(({ idempotent }) => !idempotent).map(({ method }) => method);
    assert.deepEqual(unsafe.sort(), ['patch', 'post']);
  });

  for (const [name, value] of [
    ['x-timeout-ms', 0],
    ['x-timeout-ms', '5s'],
    ['x-async', 'yes'],
    ['x-async-timeout-ms', 0],
    ['x-idempotent', 'yes'],
    ['x-etag', 1],
    ['x-sticky-key', ''],
    ['x-unknown-query', 'drop'],
    ['x-sunset', 'soon'],
    ['x-event-name', ''],
    ['x-event-name', 'heartbeat'],
    ['x-event-name', 'a\u0000b'],
    ['x-event-name', ['a']],
  ] as const) {
    it(`operations: reject ${name}: ${JSON.stringify(value)}`, () => {
      assert.throws(() => read({ [name]: value }), ContractError);
    });
  }

  it('operations: inherit the security of the document', () => {
    const more = {
      security: [{ key: [] }],
      components: {
        securitySchemes: {
          key: { type: 'apiKey', in: 'header', name: 'K' },
          token: { type: 'http', scheme: 'bearer' },
        },
      },
    };
    assert.deepEqual(read({}, {}, more).security, [{ key: [] }]);
    assert.deepEqual(read({ security: [] }, {}, more).security, []);
    assert.deepEqual(read({ security: [{ token: ['a', 'b'] }, {}] }, {}, more).security, [
      { token: ['a', 'b'] },
      {},
    ]);
    assert.throws(() => read({ security: { key: [] } }, {}, more), ContractError);
  });

  it('operations: reject an undefined security scheme in a contract of a worker', () => {
    const document = { paths: { '/a': { get: { security: [{ key: [] }] } } } };
    assert.throws(
      () => new ApiRegistry().put('w', document, { kind: 'worker' }),
      /scheme key, which is not defined/,
    );
    const schemes = { key: { type: 'http', scheme: 'bearer' } as const };
    const registry = new ApiRegistry({ securitySchemes: schemes });
    assert.deepEqual(registry.put('w', document, { kind: 'worker' }).operations[0]?.security, [{ key: [] }]);
  });

  it('operations: list the schemas of replies by status', () => {
    const json = (schema: unknown): Fields => ({
      description: '',
      content: { 'application/json': { schema } },
    });
    const { replies } = read({
      responses: {
        200: json({ type: 'object' }),
        204: { description: 'Nothing' },
        '4xx': { description: '', content: { 'text/plain': {}, 'application/hal+json': { schema: true } } },
        default: json({ type: 'string' }),
      },
    });
    assert.deepEqual(
      replies.filter(({ status }) => !/^[45]\d\d$/.test(status)),
      [
        {
          mediaType: 'application/json',
          status: '200',
          schema: { type: 'object' },
          pointer: '/paths/~1things~1{id}/put/responses/200/content/application~1json/schema',
        },
        {
          mediaType: 'application/hal+json',
          status: '4XX',
          schema: true,
          pointer: '/paths/~1things~1{id}/put/responses/4xx/content/application~1hal+json/schema',
        },
        {
          mediaType: 'application/json',
          status: 'default',
          schema: { type: 'string' },
          pointer: '/paths/~1things~1{id}/put/responses/default/content/application~1json/schema',
        },
      ],
    );
  });

  it('operations: have pointers to their schemas in the served document', () => {
    const snapshot = new ApiRegistry().put('a', {
      openapi: '3.0.3',
      paths: { '/a~b/{id}': { post: { ...body({ $ref: '#/components/schemas/A' }), parameters: [] } } },
      components: { schemas: { A: { type: 'object', nullable: true } } },
    });
    for (const { parameters, bodies, replies } of snapshot.operations) {
      for (const { pointer, schema } of [...parameters, ...bodies, ...replies]) {
        assert.deepEqual(at(snapshot.document as unknown as Json, pointer), schema, pointer);
      }
    }
  });
});
