/** Tests which changes of a contract allow workers of both versions to serve at the same time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import type { EventDefinition } from '../../../../src/contract/definition.ts';
import { bytes, defineContract, ndjson, sse, upload } from '../../../../src/contract/index.ts';
import { ApiRegistry, type ContractComparison } from '../../../../src/openapi/index.ts';

const base: EventDefinition = {
  method: 'POST',
  path: '/tasks',
  data: Joi.object({ title: Joi.string().max(20).required(), tags: Joi.array().items(Joi.string()) }),
  replies: { 201: Joi.object({ id: Joi.number().integer().required(), state: Joi.valid('open', 'done') }) },
};
const search: EventDefinition = {
  method: 'GET',
  path: '/tasks',
  data: Joi.object({ limit: Joi.number().integer().min(1).max(100), state: Joi.valid('open', 'done') }),
};

function fragment(events: Record<string, EventDefinition>): unknown {
  return defineContract({ name: 'tasks', events }).fragment();
}

const before = fragment({ 'tasks.post': base, 'tasks.find': search });

/** Compares the contract with a version in which some events differ. */
function compare(events: Record<string, EventDefinition>): ContractComparison {
  return new ApiRegistry().compare(before, fragment({ 'tasks.post': base, 'tasks.find': search, ...events }));
}

/** Compares the contract with a version that has another body of tasks.post. */
const body = (data: Joi.ObjectSchema) => compare({ 'tasks.post': { ...base, data } });
const query = (data: Joi.ObjectSchema) => compare({ 'tasks.find': { ...search, data } });
const reply = (data: Joi.Schema) => compare({ 'tasks.post': { ...base, replies: { 201: data } } });
const title = Joi.string().max(20).required();
const tags = Joi.array().items(Joi.string());
const id = Joi.number().integer().required();
const state = Joi.valid('open', 'done');

describe('compatible changes of a contract', () => {
  const changes: Readonly<Record<string, readonly [() => ContractComparison, readonly string[]]>> = {
    'an unchanged contract': [() => compare({}), []],
    'changed descriptions': [
      () => compare({ 'tasks.post': { ...base, summary: 'New', description: 'Words' } }),
      [],
    ],
    'an additional event': [() => compare({ 'tasks.drop': { method: 'DELETE', path: '/tasks' } }), []],
    'an optional member of a body': [
      () => body(Joi.object({ title, tags, due: Joi.date() })),
      ['tasks.post'],
    ],
    'a member that becomes optional': [
      () => body(Joi.object({ title: Joi.string().max(20), tags })),
      ['tasks.post'],
    ],
    'a wider bound': [
      () => body(Joi.object({ title: Joi.string().max(40).required(), tags })),
      ['tasks.post'],
    ],
    'a body that becomes open': [() => body(Joi.object({ title, tags }).unknown()), ['tasks.post']],
    'an additional null': [() => body(Joi.object({ title, tags: tags.allow(null) })), ['tasks.post']],
    'an optional parameter': [
      () => query(Joi.object({ limit: Joi.number().integer().min(1).max(100), state, page: Joi.number() })),
      ['tasks.find'],
    ],
    'an additional value of a parameter': [
      () =>
        query(
          Joi.object({
            limit: Joi.number().integer().min(1).max(100),
            state: Joi.valid('open', 'done', 'new'),
          }),
        ),
      ['tasks.find'],
    ],
    'an optional member of a reply': [() => reply(Joi.object({ id, state, url: Joi.string() })), []],
    'an additional reply': [
      () => compare({ 'tasks.post': { ...base, replies: { ...base.replies, 409: 'Exists' } } }),
      [],
    ],
  };
  for (const [what, [change, changed]] of Object.entries(changes)) {
    it(`compatibility: accepts ${what}`, () => assert.deepEqual(change(), { reason: undefined, changed }));
  }
});

describe('incompatible changes of a contract', () => {
  const changes: Readonly<Record<string, readonly [() => ContractComparison, RegExp]>> = {
    'an event less': [
      () => new ApiRegistry().compare(before, fragment({ 'tasks.post': base })),
      /GET \/tasks: event tasks\.find: the operation is missing/,
    ],
    'another event': [
      () => new ApiRegistry().compare(before, fragment({ 'tasks.add': base, 'tasks.find': search })),
      /POST \/tasks: event tasks\.post: its event changed to tasks\.add/,
    ],
    'a required member of a body': [
      () => body(Joi.object({ title, tags, due: Joi.date().required() })),
      /POST \/tasks: .*the body \(application\/json\): the member due is required/,
    ],
    'a tighter bound': [
      () => body(Joi.object({ title: Joi.string().max(10).required(), tags })),
      /\/title maxLength is tighter/,
    ],
    'another type': [
      () => body(Joi.object({ title: Joi.boolean().strict().required(), tags })),
      /\/title a value of type string/,
    ],
    'a removed member': [() => body(Joi.object({ title })), /the member tags is not accepted/],
    'tighter items': [
      () => body(Joi.object({ title, tags: Joi.array().items(Joi.string().max(3)) })),
      /\/tags\/\[\] maxLength is tighter/,
    ],
    'a pattern': [() => body(Joi.object({ title: title.pattern(/^a/), tags })), /\/title pattern differs/],
    'a required parameter': [
      () =>
        query(
          Joi.object({ limit: Joi.number().integer().min(1).max(100), state, page: Joi.number().required() }),
        ),
      /GET \/tasks: .*the query parameter page is new and required/,
    ],
    'a parameter that becomes required': [
      () => query(Joi.object({ limit: Joi.number().integer().min(1).max(100).required(), state })),
      /the query parameter limit is required/,
    ],
    'a removed parameter': [() => query(Joi.object({ state })), /the query parameter limit is missing/],
    'a removed value of a parameter': [
      () => query(Joi.object({ limit: Joi.number().integer().min(1).max(100), state: Joi.valid('open') })),
      /"done" is not among the values/,
    ],
    'a reply with a new required member': [
      () => reply(Joi.object({ id, state, url: Joi.string().required() })),
      /the reply 201: the member url is required/,
    ],
    'a reply without a member': [() => reply(Joi.object({ state })), /the reply 201: the member id/],
    'a reply with more values': [
      () => reply(Joi.object({ id, state: Joi.valid('open', 'done', 'new') })),
      /the reply 201 is wider: \/state "new" is not among/,
    ],
    'a reply of another type': [
      () => reply(Joi.object({ id: Joi.string().required(), state })),
      /the reply 201/,
    ],
    'a removed reply': [
      () => compare({ 'tasks.post': { ...base, replies: { 200: 'OK' } } }),
      /the reply 201 is missing/,
    ],
    'callers that must send a key': [
      () => {
        const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' } } as const;
        const events = { 'tasks.post': { ...base, security: ['key'] }, 'tasks.find': search };
        return new ApiRegistry().compare(
          before,
          defineContract({ name: 'tasks', securitySchemes, events }).fragment(),
        );
      },
      /security requires more of callers/,
    ],
    'an event that becomes idempotent': [
      () => compare({ 'tasks.post': { ...base, idempotent: true } }),
      /it became idempotent/,
    ],
    'an event that becomes asynchronous for all callers': [
      () => compare({ 'tasks.post': { ...base, async: 'required' } }),
      /whether x-async is required changed/,
    ],
  };
  for (const [what, [change, why]] of Object.entries(changes)) {
    it(what, () => assert.match(change().reason ?? '', why));
  }
});

describe('recursive schemas', () => {
  const tree = (node: object) => ({
    paths: {
      '/tree': {
        put: {
          'x-event-name': 'tree.put',
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Node' } } } },
          responses: {},
        },
      },
    },
    components: { schemas: { Node: node } },
  });
  const node = (members: object, rest: object = {}) => ({
    type: 'object',
    properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Node' } }, ...members },
    additionalProperties: false,
    ...rest,
  });

  it('compatibility: compares recursive schemas completely and finds further members', () => {
    const registry = new ApiRegistry();
    const [small, large] = [tree(node({})), tree(node({ name: { type: 'string' } }))];
    assert.deepEqual(registry.compare(small, large), { reason: undefined, changed: ['tree.put'] });
    assert.match(registry.compare(large, small).reason ?? '', /the member name is not accepted/);
    assert.match(
      registry.compare(small, tree(node({}, { required: ['children'] }))).reason ?? '',
      /children is required/,
    );
  });

  it('compatibility: keywords with references are the same if their targets are', () => {
    const registry = new ApiRegistry();
    const withShape = (shape: object, rest: object = {}) => ({
      paths: {
        '/shapes': {
          post: {
            'x-event-name': 'shapes.put',
            requestBody: {
              content: {
                'application/json': {
                  schema: { type: 'object', not: { $ref: '#/components/schemas/Shape' } },
                },
              },
            },
            responses: {},
          },
        },
      },
      components: { schemas: { Shape: shape, ...rest } },
    });
    const cycle = (type: string) =>
      withShape(
        { type: 'object', required: ['a'], properties: { other: { $ref: '#/components/schemas/Other' } } },
        { Other: { type, properties: { shape: { $ref: '#/components/schemas/Shape' } } } },
      );
    assert.equal(registry.compare(cycle('object'), cycle('object')).reason, undefined);
    assert.match(registry.compare(cycle('object'), cycle('array')).reason ?? '', /not differs/);
    // The members of `properties` are names, whatever keywords are called.
    const titled = (type: string) =>
      withShape({ properties: { type: {}, title: { type } }, required: ['title'] });
    assert.equal(registry.compare(titled('string'), titled('string')).reason, undefined);
    assert.match(registry.compare(titled('string'), titled('integer')).reason ?? '', /not differs/);
  });
});

describe('changes of streams', () => {
  const compared = (old: EventDefinition, now: EventDefinition): ContractComparison =>
    new ApiRegistry().compare(fragment({ one: old }), fragment({ one: now }));
  const get = (reply: NonNullable<EventDefinition['replies']>[string]): EventDefinition => ({
    method: 'GET',
    path: '/one',
    replies: { 200: reply },
  });
  const post = (body: NonNullable<EventDefinition['body']>): EventDefinition => ({
    method: 'POST',
    path: '/one',
    body,
  });
  const item = (more: Joi.SchemaMap = {}) => Joi.object({ id, ...more }).unknown();

  it('compatibility: items are compared as replies are', () => {
    for (const of of [sse, ndjson]) {
      const type = of === sse ? 'text/event-stream' : 'application/x-ndjson';
      assert.equal(compared(get(of(item())), get(of(item()))).reason, undefined);
      assert.match(
        compared(get(of(item())), get(of(item({ name: Joi.string().required() })))).reason ?? '',
        new RegExp(`GET /one: event one: an item of the reply 200 \\(${type}\\): .*name`),
      );
      assert.match(
        compared(get(of(item())), get(of(item({ id: Joi.string().required() })))).reason ?? '',
        /an item of the reply 200/,
      );
    }
  });

  it('compatibility: a reply must not become a stream, or stop to be one', () => {
    for (const [old, now, reason] of [
      [item(), ndjson(item()), 'the reply 200 became a stream (application/x-ndjson)'],
      [ndjson(item()), item(), 'the reply 200 is no longer a stream (application/x-ndjson)'],
      [sse(item()), ndjson(item()), 'the reply 200 (text/event-stream) is missing'],
      [bytes('image/png'), bytes('image/jpeg'), 'the reply 200 (image/png) is missing'],
      [sse(item()), sse(item(), { resumable: true }), 'its stream became resumable'],
      [sse(item(), { resumable: true }), sse(item()), 'its stream is no longer resumable'],
    ] as const) {
      assert.equal(compared(get(old), get(now)).reason, `GET /one: event one: ${reason}`);
    }
  });

  it('compatibility: uploads keep their kind, and limits are not lowered', () => {
    const whole: EventDefinition = {
      method: 'POST',
      path: '/one',
      data: Joi.object({ b: Joi.string().required() }),
    };
    const files = { a: {} };
    for (const [old, now, reason] of [
      [
        post(upload({ maxBytes: 9 })),
        post(upload({ maxBytes: 5 })),
        'the upload limit of bytes is lowered from 9 to 5',
      ],
      [
        post(upload({ files })),
        post(upload({ files, maxFiles: 5 })),
        'the upload limit of files is lowered to 5',
      ],
      [whole, post(upload({ files })), 'the body became a stream'],
      [post(upload({ files })), whole, 'the body is no longer a stream'],
    ] as const) {
      assert.equal(compared(old, now).reason, `POST /one: event one: ${reason}`);
    }
    const raised = compared(post(upload({ maxBytes: 5 })), post(upload({ maxBytes: 9 })));
    assert.deepEqual(raised, { reason: undefined, changed: ['one'] });
  });
});
