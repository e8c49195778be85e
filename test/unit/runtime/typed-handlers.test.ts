/**
 * Types of handlers and callers that come from a contract. The compiler checks this file: each
 * `@ts-expect-error` is a mistake that it must find.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import { expectTypeOf } from 'expect-type';
import Joi from 'joi';
import * as v from 'valibot';
import {
  type Contract,
  createCaller,
  defineContract,
  defineWorker,
  type HandlersOf,
  type Middleware,
  reply,
  typed,
  ZeroMQServer,
  ZeroMQWorker,
} from 'zeromq-gateway';
import { z } from 'zod';

interface Task {
  id: number;
  title: string;
}

const contract = defineContract({
  name: 'tasks',
  events: {
    'tasks.get': {
      method: 'GET',
      path: '/tasks/{id}',
      data: z.object({ id: z.coerce.number<string>() }),
      replies: { 200: z.object({ title: z.string() }), 404: 'No such task' },
    },
    'tasks.create': {
      method: 'POST',
      path: '/tasks',
      data: Joi.object<Task>({ id: Joi.number(), title: Joi.string() }),
      replies: { 201: Joi.object<Task & { due?: Date }>() },
      timeout: 700,
    },
    'tasks.find': {
      data: typed<{ text: string } | { id: number }>(Joi.alternatives(Joi.object(), Joi.object())),
    },
    'tasks.tag': { data: z.strictObject({ tag: z.string() }) },
    'tasks.ping': {},
  },
});
const CONNECTION = 'tcp://127.0.0.1:1';

const named = defineContract({ name: 'named', events: { get: { data: z.object({ id: z.number() }) } } });

/** Never called: only its types count. */
export function mistakes(): void {
  const rest = {
    'tasks.create': (task: Task) => task,
    'tasks.find': () => [],
    'tasks.tag': () => null,
    'tasks.ping': () => null,
  };
  const good = { ...rest, 'tasks.get': ({ id }: { id: number }) => ({ title: String(id) }) };
  // @ts-expect-error tasks.get has no handler
  defineWorker({ contract, handlers: rest });
  // @ts-expect-error the contract has no tasks.gett
  defineWorker({ contract, handlers: { ...good, 'tasks.gett': () => null } });
  // @ts-expect-error no handlers
  defineWorker({ contract });
  // @ts-expect-error the reply has no title
  defineWorker({ contract, handlers: { ...rest, 'tasks.get': () => ({ titel: '' }) } });
  // @ts-expect-error the data has no name
  defineWorker({ contract, handlers: { ...rest, 'tasks.get': ({ name }) => ({ title: String(name) }) } });
  // @ts-expect-error the id is a number after conversion
  defineWorker({ contract, handlers: { ...rest, 'tasks.get': ({ id }: { id: string }) => ({ title: id }) } });
  // @ts-expect-error the id of a task is a number
  defineWorker({ contract, handlers: { ...good, 'tasks.create': (task) => ({ ...task, id: 'seven' }) } });
  // @ts-expect-error concurrency is misspelt
  defineWorker({ contract, handlers: good, concurency: 2 });
  // @ts-expect-error a middleware is a function
  defineWorker({ contract, handlers: good, use: ['log'] });
  // @ts-expect-error no event has a name
  defineWorker({ contract: named, handlers: { get: () => 0 }, use: [({ name }) => name] });
  // @ts-expect-error the same checks for the class of a worker
  new ZeroMQWorker({ connection: CONNECTION, contract, handlers: rest });
  // @ts-expect-error and for a server
  new ZeroMQServer({ connection: CONNECTION, contract, handlers: { ...good, other: () => null } });
}

const replies = defineContract({
  name: 'replies',
  events: {
    one: {
      replies: {
        200: z.object({ state: z.enum(['open', 'done']), tags: z.array(z.string()) }),
        202: z.object({ job: z.string() }),
        204: null,
        404: 'No such task',
        409: z.object({ holder: z.string() }),
        '5XX': z.object({ reason: z.string() }),
      },
    },
    other: {
      replies: { 200: z.object({ n: z.number() }), 404: null, default: z.object({ error: z.string() }) },
    },
    failing: { replies: { default: z.object({ error: z.string() }) } },
    file: { replies: { 200: { data: z.string(), contentType: 'text/csv' } } },
    free: {},
  },
});
type Of<Event extends keyof typeof replies.events> = HandlersOf<typeof replies.events>[Event];

/** Never called: replies with a status, which the contract does not have, or with other data. */
export function wrongReplies(): void {
  // @ts-expect-error a 200 has a state
  const wrongData: Of<'one'> = () => reply(200, { holder: 'x' });
  // @ts-expect-error the state is open or done
  const wrongValue: Of<'one'> = () => reply(200, { state: 'closed', tags: [] });
  // @ts-expect-error the contract has no 201
  const wrongStatus: Of<'one'> = () => reply(201, { state: 'open', tags: [] });
  // @ts-expect-error a 409 has a holder
  const noData: Of<'one'> = () => reply(409);
  // @ts-expect-error all 5XX have a reason
  const wrongRange: Of<'one'> = async () => reply(503, { holder: 'x' });
  // @ts-expect-error the default reply has an error
  const wrongDefault: Of<'other'> = () => reply(500, { n: 1 });
  // @ts-expect-error the default reply does not stand for 200, which has its own
  const defaultFor200: Of<'other'> = () => reply(200, { error: 'x' });
  // @ts-expect-error a result without a status is that of 200, not the default
  const plainDefault: Of<'other'> = () => ({ error: 'x' });
  // @ts-expect-error the default reply is the only one
  const plainOnly: Of<'failing'> = () => ({ n: 1 });
  // @ts-expect-error text or bytes
  const wrongFile: Of<'file'> = () => reply(200, { a: 1 });
  void [wrongData, wrongValue, wrongStatus, noData, wrongRange, wrongDefault, defaultFor200];
  void [plainDefault, plainOnly, wrongFile];
}

/** Never called: replies that fit the contract. */
export function rightReplies(status: number): void {
  const one: Of<'one'>[] = [
    () => reply(200, { state: 'open', tags: ['a'] }),
    () => ({ state: 'done', tags: [] }),
    async () => reply(202, { job: 'a' }),
    () => reply(204),
    () => undefined,
    async () => undefined,
    () => reply(404),
    () => reply(404, { anything: 1 }),
    () => reply(409, { holder: 'x' }, { 'retry-after': '1' }),
    async () => reply(503, { reason: 'x' }),
    async () => (status === 7 ? reply(409, { holder: 'x' }) : { state: 'open' as const, tags: [] }),
    () => reply(status, { holder: 'x' }),
  ];
  const other: Of<'other'>[] = [
    () => ({ n: 1 }),
    () => reply(200, { n: 1 }),
    () => reply(404),
    () => reply(418, { error: 'x' }),
  ];
  const failing: Of<'failing'>[] = [() => ({ error: 'x' }), () => reply(500, { error: 'x' })];
  const file: Of<'file'>[] = [
    () => 'a,b',
    () => reply(200, 'a,b'),
    () => reply(200, Buffer.from('a,b'), { 'content-type': 'text/csv' }),
  ];
  const free: Of<'free'>[] = [() => reply(299, 5), () => 5];
  void [one, other, failing, file, free];
}

describe('handlers: types from the contract', () => {
  it('accepts the events of a contract with replies of every kind', () => {
    assert.deepEqual(replies.eventNames, ['one', 'other', 'failing', 'file', 'free']);
  });

  it('types data by the output of the schemas of Joi and zod', () => {
    const definition = defineWorker({
      contract,
      handlers: {
        'tasks.get': ({ id }, context) => {
          expectTypeOf(id).toEqualTypeOf<number>();
          expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
          return reply(200, { title: 'a' });
        },
        'tasks.create': async (task) => {
          expectTypeOf(task).toEqualTypeOf<Task>();
          return task;
        },
        'tasks.find': (query) => expectTypeOf(query).toEqualTypeOf<{ text: string } | { id: number }>(),
        'tasks.tag': ({ tag }) => expectTypeOf(tag).toEqualTypeOf<string>(),
        'tasks.ping': (data) => expectTypeOf(data).toBeUnknown(),
      },
    });
    assert.deepEqual(definition.contract?.eventNames, contract.eventNames);
  });

  it('does not depend on the order of contract and handlers', () => {
    const handlers = { 'tasks.create': (task: Task) => task, 'tasks.find': () => 0, 'tasks.tag': () => 0 };
    defineWorker({
      handlers: {
        ...handlers,
        'tasks.get': ({ id }) => ({ title: id.toFixed() }),
        'tasks.ping': () => 0,
      },
      contract,
    });
  });

  it('requires no handler of an event that handleMessage can take', () => {
    defineWorker({
      contract,
      handlers: { 'tasks.create': (task) => ({ ...task, title: task.title.trim() }) },
      handleMessage: ({ eventName, eventData }) => ({ eventName, eventData }),
    });
  });

  it('leaves the types of data to the handlers where there is no contract', () => {
    defineWorker({ handlers: { double: ({ n }: { n: number }) => n * 2, any: ({ x }) => x } });
    const untyped: Contract = contract;
    assert.throws(
      () => defineWorker({ contract: untyped, handlers: { double: ({ n }: { n: number }) => n * 2 } }),
      /no handler for tasks\.get, .*handlers for events outside the contract: double/,
    );
  });

  it('types the data of middlewares by all events of the contract', () => {
    const log: Middleware = async (data, { eventName }, next) => {
      expectTypeOf(data).toBeUnknown();
      expectTypeOf(eventName).toEqualTypeOf<string>();
      return next();
    };
    defineWorker({
      contract: named,
      use: [
        log,
        ({ id }, _context, next) => {
          expectTypeOf(id).toEqualTypeOf<number>();
          expectTypeOf(next()).toEqualTypeOf<Promise<unknown>>();
          return id;
        },
        { events: 'get', run: ({ id }) => expectTypeOf(id).toEqualTypeOf<number>() },
      ],
      handlers: { get: ({ id }) => id },
    });
  });

  it('types and validates data by the schemas of ArkType and Valibot', () => {
    const size = v.pipe(v.string(), v.minLength(1));
    const other = defineContract({
      name: 'other',
      events: {
        'tag.set': { method: 'PUT', path: '/tags/{tag}', data: type({ tag: 'string', 'weight?': 'number' }) },
        'size.set': { method: 'PUT', path: '/sizes/{size}', data: toStandardJsonSchema(v.object({ size })) },
      },
    });
    defineWorker({
      contract: other,
      handlers: {
        'tag.set': (data) => expectTypeOf(data).toEqualTypeOf<{ tag: string; weight?: number }>(),
        'size.set': (data) => expectTypeOf(data).toEqualTypeOf<{ size: string }>(),
      },
    });
    assert.deepEqual(other.validate('tag.set', { tag: 'a', weight: 2 }), { value: { tag: 'a', weight: 2 } });
    assert.equal(other.validate('tag.set', { tag: 1 }).errors?.[0]?.pointer, '/tag');
    assert.equal(other.validate('size.set', { size: '' }).errors?.[0]?.pointer, '/size');
    assert.deepEqual(Object.keys(other.fragment().paths ?? {}), ['/tags/{tag}', '/sizes/{size}']);
  });
});

describe('createCaller: types from the contract', () => {
  const sent: unknown[][] = [];
  const client = {
    sendMessage: (...args: unknown[]): Promise<never> => {
      sent.push(args);
      return Promise.resolve({
        eventName: args[0],
        eventData: { title: 'a' },
        status: 200,
        headers: {},
      } as never);
    },
  };
  const tasks = createCaller(client, contract);

  it('sends data of the input type and returns the reply as JSON brings it', async () => {
    const task = await tasks.call('tasks.get', { id: '7' });
    expectTypeOf(task).toEqualTypeOf<{ title: string }>();
    assert.deepEqual(task, { title: 'a' });
    assert.deepEqual(sent.at(-1), ['tasks.get', { id: '7' }, { idempotent: true }]);
  });

  it('takes timeout and idempotence from the contract, and from the call first', async () => {
    const { due } = await tasks.call('tasks.create', { id: 1, title: 'b' });
    expectTypeOf(due).toEqualTypeOf<string | undefined>();
    assert.deepEqual(sent.at(-1)?.[2], { timeout: 700, idempotent: false });
    await tasks.call('tasks.create', { id: 1, title: 'b' }, { timeout: 90, idempotent: true });
    assert.deepEqual(sent.at(-1)?.[2], { timeout: 90, idempotent: true });
    await tasks.call('tasks.ping');
    assert.deepEqual(sent.at(-1), ['tasks.ping', undefined, { idempotent: false }]);
  });

  it('returns the whole reply from sendMessage', async () => {
    const { status, eventData } = await tasks.sendMessage('tasks.get', { id: '7' });
    expectTypeOf(eventData.title).toEqualTypeOf<string>();
    assert.equal(status, 200);
  });

  it('rejects an event that the contract does not have', async () => {
    // @ts-expect-error no such event
    await assert.rejects(tasks.call('tasks.gone'), {
      code: 'INVALID_ARGUMENT',
      message: /^the contract tasks has no event tasks\.gone; it has tasks\.get, /,
    });
    // @ts-expect-error id is missing
    await tasks.call('tasks.get', {});
    // @ts-expect-error data is missing
    await tasks.call('tasks.create');
  });

  it('takes the types of events without their contract', async () => {
    interface Events {
      'tasks.get': { data: { id: number }; reply: { title: string } };
      'tasks.ping': { data: undefined; reply: number };
    }
    const caller = createCaller<Events>(client);
    expectTypeOf(await caller.call('tasks.get', { id: 7 })).toEqualTypeOf<{ title: string }>();
    assert.deepEqual(sent.at(-1), ['tasks.get', { id: 7 }, {}]);
    expectTypeOf(await caller.call('tasks.ping')).toEqualTypeOf<number>();
    // @ts-expect-error no such event
    await caller.call('tasks.gone');
  });
});
