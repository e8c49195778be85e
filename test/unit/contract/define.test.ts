import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectTypeOf } from 'expect-type';
import Joi from 'joi';
import { z } from 'zod';
import {
  assertHandlers,
  type Contract,
  ContractError,
  type ContractHandlers,
  defineContract,
  type EventDefinition,
} from '../../../src/contract/index.ts';
import { ApiRegistry, type Operation, SchemaCompiler } from '../../../src/openapi/index.ts';

interface Task {
  id: number;
  title: string;
}

/** The operation of a contract with only this event, as a gateway receives it. */
function served(event: EventDefinition): Operation {
  const contract = defineContract({ name: 'test', events: { 'test.event': event } });
  const [operation] = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' }).operations;
  assert.ok(operation);
  return operation;
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

const places = ({ parameters }: Operation): string[] =>
  parameters.map(
    ({ in: place, name, field, required }) =>
      `${place} ${name}${field === name ? '' : `→${field}`}${required ? '!' : ''}`,
  );

describe('defineContract', () => {
  it('defineContract: converts all properties of an event to OpenAPI', () => {
    const contract = defineContract({
      name: 'tasks',
      info: { title: 'Tasks', version: '2.1.0' },
      tags: [{ name: 'tasks', description: 'Things to do.' }],
      securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
      security: ['key'],
      events: {
        'tasks.replace': {
          method: 'PUT',
          path: '/tasks/{id}',
          data: Joi.object({
            id: Joi.number().integer().required().description('Which one.'),
            title: Joi.string().required(),
          }),
          replies: {
            200: {
              description: 'The task',
              data: Joi.object({ id: Joi.number() }),
              headers: { ETag: 'Its version' },
            },
            404: 'No such task',
            204: null,
          },
          summary: 'Replace a task',
          description: 'All of it.',
          tags: ['tasks'],
          security: [{ key: ['write'] }],
          timeout: 1500,
          async: 'required',
          asyncTimeout: 60_000,
          idempotent: true,
          deprecated: true,
          deprecatedSince: '2029-01-01',
          sunset: new Date('2030-01-01'),
          etag: true,
          stickyKey: 'id',
          unknownQuery: 'ignore',
          operationId: 'replaceTask',
        },
        'tasks.ping': { method: 'GET', path: '/ping', security: [] },
        'tasks.internal': { data: Joi.object({ x: Joi.number() }) },
      },
    });
    assert.deepEqual(contract.eventNames, ['tasks.replace', 'tasks.ping', 'tasks.internal']);
    assert.deepEqual(contract.fragment(), {
      openapi: '3.1.0',
      info: { title: 'Tasks', version: '2.1.0' },
      tags: [{ name: 'tasks', description: 'Things to do.' }],
      paths: {
        '/tasks/{id}': {
          put: {
            'x-event-name': 'tasks.replace',
            operationId: 'replaceTask',
            summary: 'Replace a task',
            description: 'All of it.',
            tags: ['tasks'],
            deprecated: true,
            security: [{ key: ['write'] }],
            parameters: [
              {
                name: 'id',
                in: 'path',
                required: true,
                description: 'Which one.',
                schema: { type: 'integer' },
              },
            ],
            requestBody: {
              required: true,
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    additionalProperties: false,
                    properties: { title: { type: 'string', minLength: 1 } },
                    required: ['title'],
                  },
                },
              },
            },
            responses: {
              200: {
                description: 'The task',
                content: {
                  'application/json': {
                    schema: {
                      type: 'object',
                      additionalProperties: false,
                      properties: { id: { type: 'number' } },
                    },
                  },
                },
                headers: { ETag: { description: 'Its version', schema: { type: 'string' } } },
              },
              204: { description: 'No Content' },
              404: { description: 'No such task' },
            },
            'x-event-body': 'flat',
            'x-timeout-ms': 1500,
            'x-async': 'required',
            'x-async-timeout-ms': 60_000,
            'x-idempotent': true,
            'x-etag': true,
            'x-sticky-key': 'id',
            'x-deprecated-since': '2029-01-01',
            'x-sunset': '2030-01-01T00:00:00.000Z',
            'x-unknown-query': 'ignore',
          },
        },
        '/ping': {
          get: {
            'x-event-name': 'tasks.ping',
            security: [],
            responses: { 200: { description: 'OK', content: { 'application/json': { schema: {} } } } },
          },
        },
      },
      components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
    });
    assert.equal(contract.fragment(), contract.fragment());
  });

  it('defineContract: describes replies by their schemas, without a body for statuses that have none', () => {
    const replies = {
      200: Joi.object().description('All of it.'),
      204: Joi.any().description('Gone.'),
      409: Joi.object(),
    };
    const contract = defineContract({ name: 'test', events: { e: { method: 'GET', path: '/', replies } } });
    const { responses } = contract.fragment().paths?.['/']?.get ?? {};
    const schema = { type: 'object' };
    assert.deepEqual(responses, {
      200: {
        description: 'All of it.',
        content: { 'application/json': { schema: { ...schema, description: 'All of it.' } } },
      },
      204: { description: 'Gone.' },
      409: { description: 'Conflict', content: { 'application/json': { schema } } },
    });
  });

  it('defineContract: binds fields to path, query and body by method', () => {
    const data = Joi.object({ id: Joi.number().required(), a: Joi.string().required(), b: Joi.any() });
    const path = '/x/{id}';
    assert.deepEqual(places(served({ method: 'GET', path, data })), ['path id!', 'query a!', 'query b']);
    assert.deepEqual(places(served({ method: 'DELETE', path, data })), ['path id!', 'query a!', 'query b']);
    for (const method of ['POST', 'PUT', 'PATCH'] as const) {
      const operation = served({ method, path, data });
      assert.deepEqual(places(operation), ['path id!']);
      assert.deepEqual([operation.bodyMode, operation.bodyRequired], ['flat', true]);
    }
    assert.equal(served({ method: 'GET', path, data }).bodyMode, 'none');
  });

  it('defineContract: binds fields as declared by in', () => {
    const operation = served({
      method: 'POST',
      path: '/x',
      data: Joi.object({
        tenant: Joi.string(),
        session: Joi.string(),
        dry: Joi.boolean(),
        title: Joi.string(),
      }),
      in: { tenant: 'header:X-Tenant', session: 'cookie:sid', dry: 'query' },
    });
    assert.deepEqual(places(operation), ['header X-Tenant→tenant', 'cookie sid→session', 'query dry']);
    assert.equal(operation.bodyRequired, false);
    const whole = served({
      method: 'PUT',
      path: '/x/{id}',
      data: Joi.object({
        id: Joi.any().required(),
        body: Joi.array().items(Joi.string()).required(),
        b: Joi.any(),
      }),
      in: { body: 'body' },
    });
    assert.deepEqual(places(whole), ['path id!', 'query b']);
    assert.deepEqual([whole.bodyMode, whole.bodyRequired], ['nested', true]);
    assert.deepEqual(whole.bodies[0]?.schema, { type: 'array', items: { type: 'string', minLength: 1 } });
    const form = served({
      method: 'POST',
      path: '/x',
      data: Joi.object({ a: Joi.any() }),
      bodyTypes: ['application/json', 'application/x-www-form-urlencoded'],
    });
    assert.deepEqual(
      form.bodies.map(({ mediaType }) => mediaType),
      ['application/json', 'application/x-www-form-urlencoded'],
    );
  });

  it('defineContract: binds objects in the query as deepObject and ignores unknown parameters for open data', () => {
    const operation = served({
      method: 'GET',
      path: '/x',
      data: Joi.object({ filter: Joi.object({ a: Joi.string() }) }).unknown(),
    });
    assert.deepEqual(
      [operation.parameters[0]?.style, operation.parameters[0]?.explode],
      ['deepObject', true],
    );
    assert.equal(operation.unknownQuery, 'ignore');
    assert.equal(
      served({ method: 'GET', path: '/x', data: Joi.object({ a: Joi.any() }) }).unknownQuery,
      'reject',
    );
  });

  it('defineContract: the body schema without path fields is never stricter than the data schema', () => {
    const data = Joi.object({
      id: Joi.number().strict().required(),
      a: Joi.any(),
      b: Joi.any(),
      c: Joi.any(),
    })
      .and('id', 'a')
      .xor('b', 'id')
      .with('a', ['c', 'id'])
      .min(2);
    const contract = defineContract({
      name: 'test',
      events: { e: { method: 'PUT', path: '/x/{id}', data } },
    });
    const snapshot = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' });
    const [body] = snapshot.operations[0]?.bodies ?? [];
    const takes = new SchemaCompiler(snapshot).compile(body?.pointer ?? '');
    for (const value of [{ a: 1, c: 1 }, { a: 1, b: 1, c: 1 }, { c: 1 }, {}]) {
      if (data.validate({ id: 1, ...value }).error === undefined)
        assert.ok(takes(value), JSON.stringify(value));
    }
    assert.equal(takes({ a: 1 }), false);
    assert.equal(takes({ id: 1 }), false);
    assert.match(JSON.stringify(body?.schema), /All or none of id, a must be given/);
  });

  it('defineContract: describes rules that query parameters cannot express', () => {
    const contract = defineContract({
      name: 'test',
      events: {
        e: {
          method: 'GET',
          path: '/x',
          data: Joi.object({ a: Joi.any(), b: Joi.any() }).xor('a', 'b'),
          description: 'Search.',
        },
      },
    });
    assert.equal(
      contract.fragment().paths?.['/x']?.get?.description,
      'Search.\n\nExactly one of a, b must be given.',
    );
  });

  it('defineContract: splits alternatives', () => {
    const data = Joi.alternatives(
      Joi.object({ id: Joi.number().required(), a: Joi.string().required() }),
      Joi.object({ id: Joi.string().required(), b: Joi.string() }),
    );
    const operation = served({ method: 'PATCH', path: '/x/{id}', data });
    assert.deepEqual(operation.parameters[0]?.schema, {
      anyOf: [{ type: 'number' }, { type: 'string', minLength: 1 }],
    });
    const { anyOf } = operation.bodies[0]?.schema as { anyOf: { properties: object }[] };
    assert.deepEqual(
      anyOf.map(({ properties }) => Object.keys(properties)),
      [['a'], ['b']],
    );
  });

  it('defineContract: puts recursive schemas into components', () => {
    const comment = Joi.object({
      text: Joi.string().required(),
      replies: Joi.array().items(Joi.link('#comment')),
    }).id('comment');
    const event: EventDefinition = {
      method: 'POST',
      path: '/x',
      data: Joi.object({ top: comment }),
      replies: { 200: comment },
    };
    const contract = defineContract({ name: 'test', events: { e: event } });
    const snapshot = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' });
    const compiler = new SchemaCompiler(snapshot);
    const takes = compiler.compile(snapshot.operations[0]?.bodies[0]?.pointer ?? '');
    assert.equal(takes({ top: { text: 'a', replies: [{ text: 'b' }] } }), true);
    assert.equal(takes({ top: { text: 'a', replies: [{}] } }), false);
    const gives = compiler.compile(
      snapshot.operations[0]?.replies.find(({ status }) => status === '200')?.pointer ?? '',
    );
    assert.equal(gives({ text: 'a', replies: [{ text: 5 }] }), false);
  });

  for (const [what, event, reason] of [
    ['a path without a method', { path: '/a' }, /method and path must be set together/],
    [
      'data that is not an object',
      { method: 'POST', path: '/a', data: Joi.array() },
      /data must be an object, not array/,
    ],
    ['data that is not a schema', { data: { a: 1 } as unknown as Joi.Schema }, /data must be a Joi schema/],
    ['asynchronous rules', { data: Joi.object({ a: Joi.any().external(() => undefined) }) }, /asynchronous/],
    [
      'a path parameter without a field',
      { method: 'GET', path: '/a/{id}', data: Joi.object({ x: Joi.any() }) },
      /no field id, which the path names/,
    ],
    [
      'a binding of an unknown field',
      { method: 'GET', path: '/a', data: Joi.object({ x: Joi.any() }), in: { y: 'query' } },
      /in: the data has no field y/,
    ],
    [
      'a path field bound elsewhere',
      { method: 'GET', path: '/{x}', data: Joi.object({ x: Joi.any() }), in: { x: 'query' } },
      /in: x is in the path already/,
    ],
    [
      'an unknown binding',
      { method: 'GET', path: '/', data: Joi.object({ x: Joi.any() }), in: { x: 'fragment' as 'query' } },
      /"fragment" is not a valid location of x/,
    ],
    [
      'a whole body with another field name',
      { method: 'PUT', path: '/', data: Joi.object({ x: Joi.any() }), in: { x: 'body' } },
      /only a field named body/,
    ],
    ['an invalid status', { method: 'GET', path: '/', replies: { 42: null } }, /cannot have the status 42/],
  ] as const satisfies readonly (readonly [string, EventDefinition, RegExp])[]) {
    it(`defineContract: rejects ${what}`, () => {
      const message = refusal(() => defineContract({ name: 'tasks', events: { 'tasks.x': event } }));
      assert.match(message, reason);
      assert.match(message, /^tasks: .*event tasks.x/);
    });
  }

  it('defineContract: rejects two events with one method and path, and a contract without a name', () => {
    const event = { method: 'GET', path: '/a' } as const;
    assert.match(
      refusal(() => defineContract({ name: 'x', events: { a: event, b: event } })),
      /event b: the event a has this method and path/,
    );
    assert.match(
      refusal(() => defineContract({ name: '', events: {} })),
      /must have a name/,
    );
  });
});

describe('contract.validate', () => {
  const contract = defineContract({
    name: 'test',
    events: {
      joi: {
        data: Joi.object({
          n: Joi.number().min(3),
          list: Joi.array().items(Joi.object({ 'a/b': Joi.string() })),
          d: Joi.any().default(7),
        }),
      },
      zod: {
        data: z.object({ n: z.number(), list: z.array(z.object({ s: z.string().default('x') })).optional() }),
      },
      open: {},
    },
  });

  it('contract.validate: returns the data as converted by the schema', () => {
    assert.deepEqual(contract.validate('joi', { n: '5' }), { value: { n: 5, d: 7 } });
    assert.deepEqual(contract.validate('zod', { n: 5, list: [{}] }), { value: { n: 5, list: [{ s: 'x' }] } });
  });

  it('contract.validate: reports every problem with a JSON Pointer', () => {
    assert.deepEqual(contract.validate('joi', { n: 1, list: [{}, { 'a/b': 5 }], x: 1 }), {
      errors: [
        { pointer: '/n', message: 'must be greater than or equal to 3' },
        { pointer: '/list/1/a~1b', message: 'must be a string' },
        { pointer: '/x', message: 'is not allowed' },
      ],
    });
    assert.deepEqual(contract.validate('joi', 5).errors, [
      { pointer: '', message: 'must be of type object' },
    ]);
    assert.deepEqual(
      contract.validate('zod', { n: 'x', list: [{ s: 1 }] }).errors?.map(({ pointer }) => pointer),
      ['/n', '/list/0/s'],
    );
  });

  it('contract.validate: passes events that the contract does not describe', () => {
    assert.deepEqual(contract.validate('open', 5), { value: 5 });
    assert.deepEqual(contract.validate('toString', 5), { value: 5 });
  });

  it('contract.validate: does not convert when convert is false', () => {
    const strict = defineContract({
      name: 'test',
      convert: false,
      events: { e: { method: 'POST', path: '/', data: Joi.object({ n: Joi.number() }) } },
    });
    assert.equal(strict.validate('e', { n: '5' }).errors?.[0]?.pointer, '/n');
    assert.match(JSON.stringify(strict.fragment()), /"n":\{"type":"number"\}/);
  });

  it('contract.validate: gives the same result each time, and follows the preferences of a schema', () => {
    const data = Joi.object({ n: Joi.number(), kept: Joi.number().prefs({ convert: false }) });
    const own = data.prefs({ abortEarly: true, allowUnknown: true });
    const shared = { method: 'POST', path: '/shared', data } as const;
    const both = defineContract({
      name: 'test',
      events: { shared, own: { method: 'POST', path: '/own', data: own } },
    });
    const strict = defineContract({ name: 'strict', convert: false, events: { shared } });
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(both.validate('shared', { n: '5', kept: 1 }), { value: { n: 5, kept: 1 } });
      assert.deepEqual(
        both.validate('shared', { n: 'x', kept: '1', more: 1 }).errors?.map(({ pointer }) => pointer),
        ['/n', '/kept', '/more'],
      );
      assert.deepEqual(both.validate('own', { n: '5', more: 1 }), { value: { n: 5, more: 1 } });
      assert.equal(both.validate('own', { n: 'x', kept: '1' }).errors?.length, 1);
      assert.equal(strict.validate('shared', { n: '5' }).errors?.[0]?.message, 'must be a number');
    }
  });

  it('contract.validate: rejects asynchronous schemas', () => {
    const slow = defineContract({
      name: 'test',
      events: { e: { data: z.object({ a: z.string().refine(async () => true) }) } },
    });
    assert.throws(() => slow.validate('e', { a: 'x' }), /asynchronous/);
  });
});

describe('Standard Schema', () => {
  it('Standard Schema: provides its own JSON Schema', () => {
    const node = z.object({
      id: z.int(),
      get children() {
        return z.array(node);
      },
    });
    const contract = defineContract({
      name: 'test',
      events: {
        e: {
          method: 'PUT',
          path: '/nodes/{id}',
          data: z.object({ id: z.int(), node, at: z.string().default('now') }),
          replies: { 200: node },
        },
      },
    });
    const snapshot = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' });
    const [operation] = snapshot.operations;
    assert.equal(operation?.parameters[0]?.required, true);
    const compiler = new SchemaCompiler(snapshot);
    const takes = compiler.compile(operation?.bodies[0]?.pointer ?? '');
    assert.equal(takes({ node: { id: 1, children: [{ id: 2, children: [] }] } }), true);
    assert.equal(takes({ node: { id: 1, children: [{ id: 'x', children: [] }] } }), false);
    const gives = compiler.compile(operation?.replies.find(({ status }) => status === '200')?.pointer ?? '');
    assert.equal(gives({ id: 1, children: [{ id: 2 }] }), false);
  });

  it('Standard Schema: works with any library', () => {
    const standard = { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) } as const;
    const method = {
      '~standard': standard,
      toJSONSchema: () => ({ type: 'object', properties: { a: { type: 'string' } } }),
    };
    assert.deepEqual(places(served({ method: 'GET', path: '/', data: method })), ['query a']);
    const converter = { input: () => ({ type: 'object', properties: { b: {} } }), output: () => ({}) };
    assert.deepEqual(
      places(
        served({
          method: 'GET',
          path: '/',
          data: { '~standard': { ...standard, jsonSchema: converter } } as never,
        }),
      ),
      ['query b'],
    );
    assert.match(
      refusal(() => served({ method: 'GET', path: '/', data: { '~standard': standard } })),
      /mine cannot generate a JSON Schema/,
    );
    const broken = { '~standard': standard, toJSONSchema: () => assert.fail('cannot') };
    assert.match(
      refusal(() => served({ method: 'GET', path: '/', data: broken })),
      /mine cannot generate a JSON Schema: cannot/,
    );
  });
});

describe('assertHandlers', () => {
  const contract = defineContract({ name: 'tasks', events: { a: {}, b: {}, c: {} } });
  const handler = (): undefined => undefined;

  it('assertHandlers: accepts handlers that match the contract', () =>
    assertHandlers(contract, { a: handler, b: handler, c: handler }));

  it('assertHandlers: reports all missing and all unexpected handlers', () => {
    assert.equal(
      refusal(() => assertHandlers(contract, { a: handler, d: handler, e: handler })),
      'contract tasks: no handler for b, c; handlers for events outside the contract: d, e',
    );
    assert.match(
      refusal(() =>
        assertHandlers(contract, Object.create({ a: handler, b: handler, c: handler }) as object as never),
      ),
      /no handler for a, b, c/,
    );
  });
});

describe('types of contracts', () => {
  const contract = defineContract({
    name: 'tasks',
    events: {
      'tasks.get': {
        data: z.object({ id: z.int(), full: z.boolean().optional() }),
        replies: { 200: z.object({ title: z.string() }), 404: 'No such task' },
      },
      'tasks.create': {
        data: Joi.object<Task>({ id: Joi.number(), title: Joi.string() }),
        replies: { 201: Joi.object<Task>() },
      },
      'tasks.loose': { data: Joi.object({ a: Joi.any() }) },
      'tasks.free': {},
    },
  });
  type Handlers = ContractHandlers<(typeof contract)['events'], { signal: AbortSignal }, { status: number }>;

  it('types of contracts: handlers get their types from the schemas', () => {
    expectTypeOf<Parameters<Handlers['tasks.get']>[0]>().toEqualTypeOf<{
      id: number;
      full?: boolean | undefined;
    }>();
    expectTypeOf<Parameters<Handlers['tasks.create']>[0]>().toEqualTypeOf<Task>();
    expectTypeOf<Parameters<Handlers['tasks.loose']>[0]>().toBeAny();
    expectTypeOf<Parameters<Handlers['tasks.free']>[0]>().toBeUnknown();
    expectTypeOf<Parameters<Handlers['tasks.get']>[1]>().toEqualTypeOf<{ signal: AbortSignal }>();
    expectTypeOf<Awaited<ReturnType<Handlers['tasks.get']>>>().toEqualTypeOf<
      | { title: string }
      | ({ status: number } & { readonly status: 200; readonly data: { readonly title: string } })
      | ({ status: number } & { readonly status: 404; readonly data: unknown })
    >();
    expectTypeOf<keyof Handlers>().toEqualTypeOf<
      'tasks.get' | 'tasks.create' | 'tasks.loose' | 'tasks.free'
    >();
  });

  it('types of contracts: a specific contract is assignable to Contract', () => {
    expectTypeOf(contract).toExtend<Contract>();
  });
});
