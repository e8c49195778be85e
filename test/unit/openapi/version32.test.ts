/** Documents in OpenAPI 3.2, and the served document in that version. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../src/contract/errors.ts';
import { at, type Json } from '../../../src/contract/json.ts';
import { ApiRegistry, type ApiSnapshot, asVersion32 } from '../../../src/openapi/index.ts';

type Fields = Record<string, unknown>;

const DOCUMENT = {
  openapi: '3.2.0',
  $self: 'https://example.com/api/openapi.json',
  info: { title: 'Streams', version: '1', summary: 'All that is new' },
  servers: [{ url: 'https://example.com', name: 'main' }],
  tags: [
    { name: 'all', summary: 'Everything', kind: 'nav' },
    { name: 'some', parent: 'all' },
  ],
  paths: {
    '/items': {
      parameters: [
        {
          name: 'filter',
          in: 'querystring',
          content: {
            'application/x-www-form-urlencoded': {
              schema: { type: 'object', properties: { text: { type: 'string' } } },
            },
          },
        },
        { name: 'session', in: 'cookie', style: 'cookie', schema: { type: 'string' } },
      ],
      get: {
        operationId: 'items',
        tags: ['some'],
        responses: {
          200: {
            summary: 'The items',
            content: {
              'application/jsonl': { $ref: '#/components/mediaTypes/Items' },
              'text/event-stream': {
                $ref: 'https://example.com/api/openapi.json#/components/mediaTypes/Alias',
              },
            },
          },
        },
      },
      post: {
        operationId: 'add',
        requestBody: {
          content: {
            'application/json': {
              schema: { $ref: '#/components/schemas/Item' },
              examples: { one: { dataValue: { n: 1 }, serializedValue: '{"n":1}' } },
            },
            'multipart/mixed': {
              schema: {},
              prefixEncoding: [{ contentType: 'image/png' }],
              itemEncoding: {},
            },
          },
        },
        responses: { 204: { description: 'Added' } },
      },
      query: { operationId: 'search', responses: {} },
      additionalOperations: {
        COPY: { operationId: 'copy', responses: {} },
        FOO: { operationId: 'foo', responses: {} },
        POST: { operationId: 'post', responses: {} },
      },
    },
  },
  components: {
    mediaTypes: {
      Items: { itemSchema: { $ref: '#/components/schemas/Item' } },
      Alias: { $ref: '#/components/mediaTypes/Items' },
    },
    schemas: {
      Item: {
        type: 'object',
        properties: { n: { type: 'integer' }, kind: { type: 'string' } },
        discriminator: { propertyName: 'kind', defaultMapping: 'Item' },
        xml: { nodeType: 'element' },
      },
    },
    securitySchemes: {
      device: {
        type: 'oauth2',
        deprecated: true,
        oauth2MetadataUrl: 'https://example.com/.well-known/oauth-authorization-server',
        flows: {
          deviceAuthorization: {
            deviceAuthorizationUrl: 'https://example.com/device',
            tokenUrl: 'https://example.com/token',
            scopes: {},
          },
        },
      },
    },
  },
};

function load(document: Fields = DOCUMENT, warnings: string[] = []): ApiSnapshot {
  return new ApiRegistry().put('api', document, { onWarning: ({ message }) => warnings.push(message) });
}

const valueAt = (document: unknown, pointer: string): Json | undefined => at(document as Json, pointer);

describe('OpenAPI 3.2', () => {
  it('version 3.2: loads with all methods, and a warning for each one that is not served', () => {
    const warnings: string[] = [];
    const { operations } = load(DOCUMENT, warnings);
    assert.deepEqual(
      operations.map(({ eventName, method }) => [eventName, method]),
      [
        ['items', 'get'],
        ['add', 'post'],
        ['copy', 'copy'],
        ['search', 'query'],
      ],
    );
    assert.deepEqual(warnings, [
      'api: at #/paths/~1items: the method FOO is not served: Node.js does not receive it here; it is skipped',
      'api: at #/paths/~1items: the method POST is not served: Node.js does not receive it here; it is skipped',
    ]);
  });

  it('version 3.2: media types are read through references, and by the identifier of the document', () => {
    const { operations, document } = load();
    assert.deepEqual(
      operations[0]?.streams.map(({ mediaType, format }) => [mediaType, format]),
      [
        ['application/jsonl', 'lines'],
        ['text/event-stream', 'events'],
      ],
    );
    const item = { $ref: '#/components/schemas/Item' };
    assert.deepEqual(operations[0]?.streams[0]?.itemSchema, item);
    assert.deepEqual(valueAt(operations[0]?.streams[1]?.itemSchema, '/properties/data/contentSchema'), item);
    assert.equal(valueAt(document, '/components/mediaTypes'), undefined);
  });

  it('version 3.2: a query string that is a form is a query parameter with all its names', () => {
    const [filter, session] = load().operations[0]?.parameters ?? [];
    assert.deepEqual(
      [filter?.in, filter?.style, filter?.explode, filter?.field],
      ['query', 'form', true, 'filter'],
    );
    assert.deepEqual([session?.in, session?.style], ['cookie', 'form']);
    const wrong = structuredClone(DOCUMENT) as unknown as { paths: Record<string, { parameters: Fields[] }> };
    wrong.paths['/items']?.parameters.splice(0, 1, {
      name: 'q',
      in: 'querystring',
      content: { 'application/json': {} },
    });
    assert.throws(
      () => load(wrong),
      /at #\/paths\/~1items\/parameters\/0: the parameter q in querystring must have the content application\/x-www-form-urlencoded/,
    );
  });

  it('version 3.2: members without a meaning in 3.1 get the prefix x-, and lose it in version 3.2', () => {
    const { document } = load();
    const response = '/paths/~1items/get/responses/200';
    const example = '/paths/~1items/post/requestBody/content/application~1json/examples/one';
    assert.equal(valueAt(document, '/openapi'), '3.1.0');
    assert.deepEqual(valueAt(document, '/tags'), [
      { name: 'all', 'x-summary': 'Everything', 'x-kind': 'nav' },
      { name: 'some', 'x-parent': 'all' },
    ]);
    assert.equal(valueAt(document, `${response}/description`), 'The items');
    assert.deepEqual(valueAt(document, example), { value: { n: 1 }, 'x-serialized-value': '{"n":1}' });
    assert.equal(valueAt(document, '/components/securitySchemes/device/deprecated'), true);

    const before = structuredClone(document);
    const written = asVersion32(document);
    assert.deepEqual(document, before);
    assert.equal(valueAt(document, '/paths/~1items/x-operation-query/operationId'), 'search');
    assert.equal(valueAt(document, '/paths/~1items/query'), undefined);
    assert.equal(valueAt(written, '/paths/~1items/query/operationId'), 'search');
    assert.equal(valueAt(written, '/paths/~1items/additionalOperations/COPY/operationId'), 'copy');
    assert.equal(valueAt(written, '/paths/~1items/x-operation-query'), undefined);
    assert.equal(valueAt(written, '/openapi'), '3.2.0');
    assert.deepEqual(valueAt(written, '/tags'), DOCUMENT.tags);
    assert.equal(valueAt(written, `${response}/summary`), 'The items');
    assert.deepEqual(valueAt(written, `${response}/content/application~1jsonl/itemSchema`), {
      $ref: '#/components/schemas/Item',
    });
    assert.equal(valueAt(written, `${example}/serializedValue`), '{"n":1}');
    assert.doesNotMatch(JSON.stringify(written), /"x-(item-schema|summary|parent|kind|serialized-value)"/);
  });

  it('version 3.2: the written document is read again with the same operations', () => {
    const { document, operations } = load();
    const again = load(asVersion32(document));
    const read = ({
      parameters,
      bodies,
      bodyMode,
      streams,
      eventName,
    }: (typeof operations)[number]): unknown => {
      return { parameters, bodies, bodyMode, streams, eventName };
    };
    assert.deepEqual(again.operations.map(read), operations.map(read));
    assert.deepEqual(again.document.tags, document.tags);
  });

  it('version 3.2: a contract of a worker must not have a method that is not served', () => {
    const item = { 'x-event-name': 'a', responses: {} };
    const contract = {
      openapi: '3.2.0',
      paths: { '/a': { get: item, additionalOperations: { FOO: { ...item, 'x-event-name': 'b' } } } },
    };
    assert.throws(
      () => new ApiRegistry().put('worker', contract, { kind: 'worker' }),
      (error) => error instanceof ContractError && /the method FOO is not served/.test(error.message),
    );
  });
});
