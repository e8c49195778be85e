import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../../src/contract/errors.ts';
import { at, type Json } from '../../../../src/contract/json.ts';
import { ApiRegistry, type ApiSnapshot, type Operation } from '../../../../src/openapi/index.ts';

type Fields = Record<string, unknown>;

const ITEM = { type: 'object', properties: { n: { type: 'integer' } } };

function put(operation: Fields, openapi = '3.1.0', more: Fields = {}): ApiSnapshot {
  return new ApiRegistry().put('test', { openapi, paths: { '/things': { post: operation } }, ...more });
}

function read(operation: Fields, openapi = '3.1.0', more: Fields = {}): Operation {
  const [found] = put(operation, openapi, more).operations;
  assert.ok(found);
  return found;
}

function reply(content: Fields, status = '200'): Fields {
  return { responses: { [status]: { description: '', content } } };
}

function formats(content: Fields, openapi = '3.1.0'): unknown[] {
  return read(reply(content), openapi).streams.map(({ mediaType, format }) => [mediaType, format]);
}

function problemOf(operation: Fields): string {
  try {
    put(operation);
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return error.message;
  }
  return '';
}

describe('streams: replies', () => {
  it('streams: the media type decides which replies are streams, and how they are divided', () => {
    const schema = { type: 'object' };
    assert.deepEqual(
      formats({
        'text/event-stream': {},
        'Application/X-NDJSON; charset=utf-8': {},
        'application/jsonl': { schema },
        'application/geo+json-seq': {},
        'application/octet-stream': {},
        'image/*': { schema: {} },
        'video/mp4': { schema: { type: 'string' } },
        'application/json': {},
        'application/problem+json': {},
        'text/plain': {},
        'application/xml': {},
        '*/*': {},
        'application/vnd.thing': { schema: { type: 'object', properties: { a: {} } } },
      }),
      [
        ['text/event-stream', 'events'],
        ['Application/X-NDJSON; charset=utf-8', 'lines'],
        ['application/jsonl', 'lines'],
        ['application/geo+json-seq', 'sequence'],
        ['application/octet-stream', 'bytes'],
        ['image/*', 'bytes'],
        ['video/mp4', 'bytes'],
      ],
    );
  });

  it('streams: a schema of binary data makes any type bytes, except JSON and base64', () => {
    const binary = { schema: { type: 'string', format: 'binary' } };
    assert.deepEqual(formats({ 'text/csv': binary, '*/*': binary, 'application/json': binary }, '3.0.3'), [
      ['text/csv', 'bytes'],
      ['*/*', 'bytes'],
    ]);
    const media = (schema: Fields): Fields => ({ 'text/csv': { schema } });
    assert.deepEqual(formats(media({ contentMediaType: 'text/csv' })), [['text/csv', 'bytes']]);
    assert.deepEqual(formats(media({ contentMediaType: 'text/csv', contentEncoding: 'base64' })), []);
  });

  it('streams: x-stream of a media type overrides what the type says', () => {
    assert.deepEqual(
      formats({
        'text/csv': { 'x-stream': true },
        'application/json': { 'x-stream': true },
        'image/png': { 'x-stream': false },
      }),
      [
        ['text/csv', 'bytes'],
        ['application/json', 'bytes'],
      ],
    );
  });

  it('streams: itemSchema and x-item-schema are read alike, in every version and behind references', () => {
    for (const [openapi, name] of [
      ['3.0.3', 'x-item-schema'],
      ['3.1.1', 'x-item-schema'],
      ['3.2.0', 'itemSchema'],
    ] as const) {
      const components = {
        schemas: { Item: ITEM },
        responses: {
          Items: {
            description: '',
            content: { 'text/event-stream': { [name]: { $ref: '#/components/schemas/Item' } } },
          },
        },
      };
      const operation = { responses: { default: { $ref: '#/components/responses/Items' } } };
      const { document, operations } = put(operation, openapi, { components });
      const [stream] = operations[0]?.streams ?? [];
      assert.equal(stream?.status, 'default');
      assert.deepEqual(stream.itemSchema, {
        type: 'object',
        properties: {
          data: {
            type: 'string',
            contentMediaType: 'application/json',
            contentSchema: { $ref: '#/components/schemas/Item' },
          },
          event: { type: 'string' },
          id: { type: 'string' },
          retry: { type: 'integer', minimum: 0 },
        },
        required: ['data'],
      });
      assert.equal(
        stream.itemPointer,
        '/components/responses/Items/content/text~1event-stream/x-item-schema',
      );
      assert.deepEqual(at(document as unknown as Json, stream.itemPointer), stream.itemSchema);
      assert.deepEqual(document.components?.schemas?.['Item'], ITEM);
    }
  });

  it('streams: an item schema that describes an event, or a line, is left unchanged', () => {
    const event = {
      anyOf: [{ properties: { event: { const: 'a' }, data: { type: 'string' } } }, { type: 'object' }],
    };
    const content = { 'text/event-stream': { itemSchema: event }, 'application/jsonl': { itemSchema: ITEM } };
    const { streams } = read(reply(content), '3.2.0');
    assert.deepEqual(
      streams.map(({ itemSchema }) => itemSchema),
      [event, ITEM],
    );
    const text = reply({ 'text/event-stream': { itemSchema: { enum: ['a', 'b'] } } });
    const [stream] = read(text, '3.2.0').streams;
    assert.deepEqual(at(stream?.itemSchema as Json, '/properties/data'), { enum: ['a', 'b'] });
  });

  it('streams: a problem of an item schema is reported with its place in the source', () => {
    const operation = reply({ 'text/event-stream': { itemSchema: { type: 'strong' } } });
    assert.match(
      problemOf(operation),
      /at #\/paths\/~1things\/post\/responses\/200\/content\/text~1event-stream\/itemSchema\/type: type must be/,
    );
  });

  it('streams: an operation without streams has none', () => {
    const { streams, streamsReply, resumable, streamsBody, uploadLimits } = read({});
    assert.deepEqual(
      [streams, streamsReply, resumable, streamsBody, uploadLimits],
      [[], false, false, false, {}],
    );
  });
});

describe('streams: likely mistakes', () => {
  it('streams: warns of members without an effect; a contract of a worker must not have them', () => {
    const content = { 'image/png': { 'x-item-schema': ITEM }, 'text/csv': { 'x-stream': 'yes' } };
    const operation = { 'x-event-name': 'a', 'x-resumable': true, ...reply(content) };
    const document = { openapi: '3.1.0', paths: { '/things': { post: operation } } };
    const warnings: string[] = [];
    new ApiRegistry().put('api', document, { onWarning: ({ reason }) => warnings.push(reason) });
    assert.deepEqual(warnings, [
      'x-resumable has no effect: no reply has the media type text/event-stream',
      'the item schema of image/png has no effect: its bodies have no items',
      'x-stream of the reply 200 (text/csv) must be true or false, not "yes"',
    ]);
    assert.throws(
      () => new ApiRegistry().put('worker', document, { kind: 'worker' }),
      /x-resumable has no effect/,
    );
  });
});

describe('streams: request bodies', () => {
  const upload = (content: Fields, more: Fields = {}): Fields => ({
    requestBody: { 'x-stream': true, content, ...more },
  });

  it('streams: x-stream of the request body and its limits', () => {
    const limits = { bytes: 1000, files: 0 };
    const found = read(upload({ 'application/octet-stream': {} }, { 'x-upload-limits': limits }));
    assert.deepEqual([found.streamsBody, found.uploadLimits, found.bodyMode], [true, limits, 'none']);
    assert.equal(read({ requestBody: { content: { 'image/png': {} } } }).streamsBody, false);
  });

  it('streams: only the form fields of a streamed body are event data', () => {
    const form = { schema: { type: 'object', properties: { title: { type: 'string' } } } };
    const found = read(upload({ 'multipart/form-data': form, 'image/png': {} }));
    assert.deepEqual([found.streamsBody, found.bodyMode], [true, 'flat']);
    const parameters = [{ name: 'body', in: 'query', schema: {} }];
    assert.equal(read({ ...upload({ 'image/png': {} }), parameters }).bodyMode, 'none');
  });

  it('streams: rejects values that have no meaning, with the reason', () => {
    const content = { 'image/png': {} };
    const limits = (value: unknown, stream = true): Fields =>
      upload(content, { 'x-stream': stream, 'x-upload-limits': value });
    for (const [operation, expected] of [
      [
        upload(content, { 'x-stream': 'yes' }),
        'x-stream of the request body must be true or false, not "yes"',
      ],
      [limits(5), 'x-upload-limits must be an object, not 5'],
      [limits({ size: 5 }), 'x-upload-limits has the unknown member size; it may have bytes, files, fields'],
      [limits({ bytes: 0 }), 'x-upload-limits.bytes must be an integer of at least 1, not 0'],
      [limits({ files: 1.5 }), 'x-upload-limits.files must be an integer of at least 0, not 1.5'],
      [
        limits({ bytes: 5 }, false),
        'x-upload-limits has no effect without x-stream: true of the request body',
      ],
      [{ 'x-resumable': 1 }, 'x-resumable must be true or false, not 1'],
    ] as const) {
      assert.ok(problemOf(operation).endsWith(`: ${expected}`), problemOf(operation));
    }
  });
});
