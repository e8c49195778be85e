import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { z } from 'zod';
import {
  bytes,
  ContractError,
  defineContract,
  type EventDefinition,
  formFile,
  ndjson,
  sse,
  streamRulesOf,
  upload,
} from '../../../src/contract/index.ts';
import { ApiRegistry, type Operation, SchemaCompiler } from '../../../src/openapi/index.ts';

const TICK = Joi.object({ n: Joi.number().required() });
const TICK_SCHEMA = {
  type: 'object',
  properties: { n: { type: 'number' } },
  required: ['n'],
  additionalProperties: false,
};

function contractOf(event: EventDefinition) {
  return defineContract({ name: 'test', events: { 'test.event': event } });
}

/** The operation of a contract with only this event, in its fragment. */
function written(event: EventDefinition): Record<string, unknown> {
  const { paths = {} } = contractOf(event).fragment();
  const [item = {}] = Object.values(paths);
  return Object.values(item)[0] as unknown as Record<string, unknown>;
}

function get(replies: EventDefinition['replies']): EventDefinition {
  return { method: 'GET', path: '/x', replies };
}

/** The operation as a gateway receives it. */
function served(event: EventDefinition): Operation {
  const contract = contractOf(event);
  const [operation] = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' }).operations;
  assert.ok(operation);
  return operation;
}

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

describe('contracts: streamed replies', () => {
  it('sse: the document describes the event, whose data are JSON', () => {
    const operation = written(get({ 200: sse(TICK, { resumable: true, description: 'Ticks' }) }));
    assert.equal(operation['x-resumable'], true);
    assert.deepEqual(operation['responses'], {
      200: {
        description: 'Ticks',
        content: {
          'text/event-stream': {
            'x-item-schema': {
              type: 'object',
              properties: {
                data: { type: 'string', contentMediaType: 'application/json', contentSchema: TICK_SCHEMA },
                event: { type: 'string' },
                id: { type: 'string' },
                retry: { type: 'integer', minimum: 0 },
              },
              required: ['data'],
            },
          },
        },
      },
    });
  });

  it('sse: texts are the data themselves', () => {
    for (const text of [Joi.string(), z.string().min(1)]) {
      const { responses } = written(get({ 200: sse(text) })) as { responses: Record<string, unknown> };
      const data = { type: 'string', minLength: 1 };
      assert.deepEqual(
        Object.entries(responses).map(([, one]) => (one as { content: Record<string, never> }).content),
        [
          {
            'text/event-stream': {
              'x-item-schema': {
                type: 'object',
                properties: {
                  data,
                  event: { type: 'string' },
                  id: { type: 'string' },
                  retry: { type: 'integer', minimum: 0 },
                },
                required: ['data'],
              },
            },
          },
        ],
      );
    }
  });

  it('ndjson: the document has the schema of each line', () => {
    const content = (reply: ReturnType<typeof ndjson>) =>
      (written(get({ 200: reply }))['responses'] as Record<string, { content: unknown }>)['200']?.content;
    assert.deepEqual(content(ndjson(TICK)), { 'application/x-ndjson': { 'x-item-schema': TICK_SCHEMA } });
    assert.deepEqual(content(ndjson(TICK, { contentType: 'application/jsonl' })), {
      'application/jsonl': { 'x-item-schema': TICK_SCHEMA },
    });
    assert.deepEqual(content(ndjson()), { 'application/x-ndjson': {} });
  });

  it('bytes: have no schema; x-stream marks the types of texts', () => {
    assert.deepEqual(
      written(get({ 200: bytes('image/*', { headers: { 'X-Width': 'In pixels' } }) }))['responses'],
      {
        200: {
          description: 'OK',
          content: { 'image/*': { schema: {} } },
          headers: { 'X-Width': { description: 'In pixels', schema: { type: 'string' } } },
        },
      },
    );
    assert.deepEqual(written(get({ 200: bytes('text/csv') }))['responses'], {
      200: { description: 'OK', content: { 'text/csv': { schema: {}, 'x-stream': true } } },
    });
  });

  it('bytes: ranges add the replies to requests for a part, unless the event has its own', () => {
    const { responses } = written(get({ 200: bytes('video/mp4', { ranges: true }), 416: 'Too far' }));
    assert.deepEqual(Object.keys(responses as object), ['200', '206', '416']);
    const part = (responses as Record<string, Record<string, unknown>>)['206'];
    assert.deepEqual(part?.['content'], { 'video/mp4': { schema: {} } });
    assert.deepEqual((responses as Record<string, unknown>)['416'], { description: 'Too far' });
  });

  it('streams: the gateway reads what the contract declares', () => {
    const streams = (event: EventDefinition): unknown[] =>
      served(event).streams.map(({ status, mediaType, format }) => [status, mediaType, format]);
    assert.deepEqual(streams(get({ 200: sse(TICK) })), [['200', 'text/event-stream', 'events']]);
    assert.deepEqual(streams(get({ '2XX': ndjson(TICK) })), [['2XX', 'application/x-ndjson', 'lines']]);
    assert.deepEqual(streams(get({ default: bytes('text/csv') })), [['default', 'text/csv', 'bytes']]);
    assert.deepEqual(streams(get({ 200: TICK, 201: 'Nothing' })), []);
    assert.equal(served(get({ 200: sse(TICK, { resumable: true }) })).resumable, true);
  });

  it('streams: a recursive item schema becomes a component', () => {
    const node = Joi.object({ name: Joi.string(), children: Joi.array().items(Joi.link('#node')) }).id(
      'node',
    );
    const contract = contractOf(get({ 200: sse(node) }));
    const snapshot = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' });
    const [stream] = snapshot.operations[0]?.streams ?? [];
    const validate = new SchemaCompiler(snapshot).compile(
      `${String(stream?.itemPointer)}/properties/data/contentSchema`,
    );
    assert.equal(validate({ name: 'a', children: [{ name: 'b' }] }), true);
    assert.equal(validate({ name: 'a', children: [{ nam: 'b' }] }), false);
  });

  it('streams: rejects options and replies that have no meaning', () => {
    const any = (value: unknown) => value as never;
    for (const [run, expected] of [
      [() => sse(any({ n: 1 })), /^sse: the schema must be a Joi schema or implement Standard Schema/],
      [
        () => sse(Joi.object().external(() => undefined)),
        /^sse: the schema must not have asynchronous rules/,
      ],
      [
        () => sse(TICK, any({ resumabel: true })),
        /^sse: unknown member resumabel \(did you mean resumable\?\)$/,
      ],
      [() => sse(TICK, { resumable: any('yes') }), /^sse: resumable must be a boolean, got "yes"$/],
      [() => ndjson(TICK, any({ resumable: true })), /^ndjson: resumable applies to sse\(\) only/],
      [
        () => ndjson(TICK, { contentType: any('text/plain') }),
        /^ndjson: contentType must be application\/x-ndjson or application\/jsonl, got "text\/plain"/,
      ],
      [() => bytes(any(TICK)), /^bytes: the media type must be a media type such as image\/png/],
      [() => bytes('text/event-stream'), /^bytes: text\/event-stream has items; use sse\(\)$/],
      [() => bytes('application/jsonl'), /^bytes: application\/jsonl has items; use ndjson\(\)$/],
      [
        () => bytes('image/png', any({ range: true })),
        /^bytes: unknown member range \(did you mean ranges\?\)$/,
      ],
      [
        () => contractOf(get({ 204: sse(TICK) })),
        /^test: event test\.event: the reply 204 cannot be a stream/,
      ],
      [
        () => contractOf(get({ 200: any({ stream: 'event' }) })),
        /the reply 200 has the stream "event"; use sse\(\), ndjson\(\) or bytes\(\)$/,
      ],
    ] as const) {
      assert.match(problemOf(run), expected);
    }
  });

  it('streams: an error of a helper points to the code that calls it', () => {
    assert.throws(
      () => bytes('png'),
      (error: Error) => /^\s*at .*streams\.test\.ts/.test(error.stack?.split('\n')[1] ?? ''),
    );
  });
});

describe('contracts: rules of streams for the runtime', () => {
  it('streamRulesOf: has the media type and the check of each stream', () => {
    const contract = defineContract({
      name: 'test',
      events: {
        ticks: { replies: { 404: 'None', 200: sse(TICK) } },
        lines: { replies: { 200: ndjson(z.object({ n: z.number() })) } },
        image: { replies: { 200: bytes('image/*') } },
        other: { replies: { 200: TICK } },
      },
    });
    const rules = streamRulesOf(contract);
    assert.deepEqual(
      [...(rules ?? [])].map(([name, { contentType }]) => [name, contentType]),
      [
        ['ticks', 'text/event-stream'],
        ['lines', 'application/x-ndjson'],
        ['image', 'application/octet-stream'],
      ],
    );
    assert.equal(rules?.get('ticks')?.check?.({ n: 1 }), undefined);
    assert.equal(rules?.get('ticks')?.check?.({ n: 'x', m: 1 }), '/n must be a number, /m is not allowed');
    assert.match(rules?.get('lines')?.check?.({}) ?? '', /^\/n /);
    assert.equal(rules?.get('image')?.check, undefined);
  });

  it('streamRulesOf: converts items only if the contract does', () => {
    const events = { ticks: { replies: { 200: sse(TICK) } } };
    const check = (convert: boolean) =>
      streamRulesOf(defineContract({ name: 'test', convert, events }))
        ?.get('ticks')
        ?.check?.({ n: '5' });
    assert.equal(check(true), undefined);
    assert.equal(check(false), '/n must be a number');
  });

  it('streamRulesOf: a contract without streams has no rules', () => {
    assert.equal(streamRulesOf(contractOf(get({ 200: TICK }))), undefined);
  });
});

describe('contracts: uploads', () => {
  const post = (body: EventDefinition['body'], data?: EventDefinition['data'], more: EventDefinition = {}) =>
    ({ method: 'POST', path: '/files/{id}', body, data, ...more }) satisfies EventDefinition;
  const ID = Joi.object({ id: Joi.number().required() });

  it('upload: bytes of any type; the other fields come from path and query', () => {
    const data = ID.keys({ name: Joi.string().required() });
    const operation = written(post(upload({ maxBytes: 1000, description: 'The file' }), data));
    assert.deepEqual(operation['requestBody'], {
      description: 'The file',
      required: true,
      content: { 'application/octet-stream': { schema: {} } },
      'x-stream': true,
      'x-upload-limits': { bytes: 1000 },
    });
    const { parameters, bodyMode, streamsBody, uploadLimits } = served(
      post(upload({ maxBytes: 1000 }), data),
    );
    assert.deepEqual(
      parameters.map(({ in: place, name }) => [place, name]),
      [
        ['path', 'id'],
        ['query', 'name'],
      ],
    );
    assert.deepEqual([bodyMode, streamsBody, uploadLimits], ['none', true, { bytes: 1000 }]);
  });

  it('upload: several media types, and a body that may be missing', () => {
    const body = upload({ contentType: ['image/png', 'image/jpeg'], required: false });
    assert.deepEqual(written(post(body, ID))['requestBody'], {
      content: { 'image/png': { schema: {} }, 'image/jpeg': { schema: {} } },
      'x-stream': true,
    });
    assert.equal(served(post(body, ID)).bodyRequired, false);
  });

  it('upload: fields of a form and its files', () => {
    const body = upload({
      files: {
        photo: { contentType: ['image/png', 'image/*'], required: true },
        more: { multiple: true, description: 'Others' },
      },
      maxFiles: 3,
      maxFields: 2,
    });
    const data = ID.keys({ title: Joi.string().required(), tags: Joi.array().items(Joi.string()) });
    const binary = { type: 'string', contentMediaType: 'application/octet-stream' };
    assert.deepEqual(written(post(body, data))['requestBody'], {
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: {
              title: { type: 'string', minLength: 1 },
              tags: { type: 'array', items: { type: 'string', minLength: 1 } },
              photo: binary,
              more: { description: 'Others', type: 'array', items: binary },
            },
            required: ['title', 'photo'],
            additionalProperties: false,
          },
          encoding: { photo: { contentType: 'image/png, image/*' } },
        },
      },
      'x-stream': true,
      'x-upload-limits': { files: 3, fields: 2 },
    });
    const operation = served(post(body, data));
    assert.deepEqual([operation.bodyMode, operation.streamsBody], ['flat', true]);
    assert.deepEqual(operation.uploadLimits, { files: 3, fields: 2 });
  });

  it('upload: a form without declared files takes any', () => {
    const body = upload({ contentType: 'multipart/form-data' });
    const { requestBody } = written(post(body, ID)) as { requestBody: { content: unknown } };
    assert.deepEqual(requestBody.content, {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {},
          additionalProperties: { type: 'string', contentMediaType: 'application/octet-stream' },
        },
      },
    });
    assert.equal(served({ method: 'PUT', path: '/x', body }).bodyMode, 'flat');
  });

  it('upload: rejects what cannot be uploaded', () => {
    const any = (value: unknown) => value as never;
    const form = upload({ files: { photo: {} } });
    const field = (schema: Joi.Schema) => ID.keys({ meta: schema });
    for (const [run, expected] of [
      [() => upload(any({ maxSize: 1 })), /^upload: unknown member maxSize/],
      [() => upload({ maxBytes: 0 }), /^upload: maxBytes must be an integer of at least 1, got 0$/],
      [
        () => upload({ contentType: [] }),
        /^upload: contentType must be a media type or a list of media types, got/,
      ],
      [
        () => upload({ contentType: 'png' }),
        /^upload: contentType must be a media type such as image\/png, got "png"$/,
      ],
      [
        () => upload({ contentType: 'image/png', files: { a: {} } }),
        /^upload: files requires the content type multipart\/form-data, got image\/png$/,
      ],
      [
        () => upload({ contentType: 'image/png', maxFields: 3 }),
        /^upload: maxFields requires the content type/,
      ],
      [
        () => upload({ contentType: ['multipart/form-data', 'image/png'] }),
        /^upload: multipart\/form-data must be the only content type/,
      ],
      [
        () => upload({ files: { photo: any('image/png') } }),
        /^upload: the file photo must be an object, got "image\/png"$/,
      ],
      [
        () => upload({ files: { photo: any({ type: 'image/png' }) } }),
        /^upload: the file photo: unknown member type/,
      ],
      [
        () => upload({ files: { a: { required: true } }, maxFiles: 0 }),
        /^upload: maxFiles is 0, but 1 files are required$/,
      ],
      [
        () => contractOf({ method: 'GET', path: '/x', body: upload() }),
        /body: a GET request has no content \(RFC 9110, 9\.3\); an upload needs POST, PUT or PATCH$/,
      ],
      [
        () => contractOf(post(any(TICK), ID)),
        /body must be the result of upload\(\), got .*; the fields of a body that is not a stream belong to data$/,
      ],
      [
        () => contractOf(post(upload(), ID, { bodyTypes: ['image/png'] })),
        /bodyTypes applies to bodies without upload\(\); use contentType of upload\(\)$/,
      ],
      [
        () => contractOf(post(upload(), ID.keys({ body: Joi.any() }), { in: { body: 'body' } })),
        /in: body cannot take the whole body, which the handler reads from the context$/,
      ],
      [
        () => contractOf(post(form, field(Joi.object({ a: Joi.string() })))),
        /body: the field meta is an object, but the fields of a multipart upload are texts/,
      ],
      [
        () => contractOf(post(form, field(Joi.array().items(Joi.object())))),
        /body: the field meta is an object/,
      ],
      [
        () => contractOf(post(form, ID.keys({ photo: Joi.string() }))),
        /body: the file photo has the same name as a field of the data$/,
      ],
    ] as const) {
      assert.match(problemOf(run), expected);
    }
  });

  it('upload: a nested object is allowed where it is not a form field', () => {
    const data = ID.keys({ filter: Joi.object({ a: Joi.string() }) });
    const event = post(upload({ files: { photo: {} } }), data, { in: { filter: 'query' } });
    assert.deepEqual(
      served(event).parameters.map(({ name }) => name),
      ['id', 'filter'],
    );
  });
});

describe('contracts: files without streams', () => {
  const data = Joi.object({
    title: Joi.string().required(),
    photo: formFile({ contentType: 'image/*', maxBytes: 5 }).required().description('A picture'),
    more: Joi.array().items(formFile()),
  });
  const event: EventDefinition = { method: 'POST', path: '/x', data, bodyTypes: ['multipart/form-data'] };

  it('formFile: the document describes bytes, the data have the file', () => {
    const { requestBody } = written(event) as { requestBody: { content: Record<string, unknown> } };
    const binary = { type: 'string', contentMediaType: 'application/octet-stream' };
    assert.deepEqual(requestBody.content['multipart/form-data'], {
      schema: {
        type: 'object',
        properties: {
          title: { type: 'string', minLength: 1 },
          photo: { description: 'A picture', ...binary, maxLength: 5 },
          more: { type: 'array', items: binary },
        },
        required: ['title', 'photo'],
        additionalProperties: false,
      },
      encoding: { photo: { contentType: 'image/*' } },
    });
    assert.equal(served(event).streamsBody, false);
  });

  it('formFile: the content reaches the handler as a Buffer', () => {
    const photo = { filename: 'a.png', contentType: 'image/png', size: 3, content: 'AAEC' };
    const contract = contractOf(event);
    const { value, errors } = contract.validate('test.event', { title: 'a', photo });
    assert.equal(errors, undefined);
    assert.deepEqual((value as { photo: unknown }).photo, { ...photo, content: Buffer.from([0, 1, 2]) });
    const long = { ...photo, size: 6, content: 'AAECAwQF' };
    assert.match(
      contract.validate('test.event', { title: 'a', photo: long }).errors?.[0]?.message ?? '',
      /5 bytes/,
    );
  });

  it('formFile: needs a form', () => {
    assert.match(
      problemOf(() => contractOf({ ...event, bodyTypes: ['application/json'] })),
      /data: photo is a formFile\(\), which requires bodyTypes: \['multipart\/form-data'\], got application\/json$/,
    );
    assert.match(
      problemOf(() => formFile({ maxBytes: -1 })),
      /^formFile: maxBytes must be an integer of at least 1, got -1$/,
    );
  });

  it('bodyTypes: a whole body may have a binary type', () => {
    const whole = Joi.object({ body: Joi.binary().encoding('base64').required() });
    const binary: EventDefinition = {
      method: 'PUT',
      path: '/x',
      data: whole,
      in: { body: 'body' },
      bodyTypes: ['image/png'],
    };
    assert.deepEqual([served(binary).bodyMode, served(binary).bodies[0]?.mediaType], ['nested', 'image/png']);
    assert.match(
      problemOf(() => contractOf({ ...binary, in: {} })),
      /bodyTypes cannot be served: the gateway reads no body of image\/png/,
    );
  });
});
