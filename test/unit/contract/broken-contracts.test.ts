/**
 * Mistakes in contracts, and the exact text by which their author finds them. The same rules apply
 * to the contracts that other nodes announce; see `test/unit/openapi/model/slips.test.ts`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { ContractError, defineContract } from 'zeromq-gateway';

const data = Joi.object({ id: Joi.number().required(), title: Joi.string() });

/** The message of the error of a contract `tasks` with these members. */
function messageOf(members: object): string {
  try {
    defineContract({ name: 'tasks', events: {}, ...members });
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'the contract was accepted' });
}

/** Paths of the event `tasks.get`, with the reason why they are rejected. */
const PATHS: Readonly<Record<string, string>> = {
  '/tasks/:id': ':id is not a parameter (did you mean {id}?)',
  '/tasks/:id?': ':id? is not a parameter (did you mean {id}?)',
  '/tasks/:id(\\d+)': ':id(\\d+) is not a parameter (did you mean {id}?)',
  '/tasks/<id>': '<id> is not a parameter (did you mean {id}?)',
  '/tasks/<int:id>': '<int:id> is not a parameter (did you mean {id}?)',
  '/tasks/[id]': '[id] is not a parameter (did you mean {id}?)',
  '/tasks/[...id]': '[...id] is not a parameter (did you mean {id}?)',
  '/tasks/${id}': '${id} is not a parameter (did you mean {id}?)',
  '/tasks/{{id}}': '{{id}} is not a parameter (did you mean {id}?)',
  '/tasks/{id': '{id is not a parameter (did you mean {id}?)',
  '/tasks/id}/x': 'id} is not a parameter (did you mean {id}?)',
  '/tasks/{id:[0-9]+}': '{id:[0-9]+} is not a parameter (did you mean {id}?)',
  '/tasks/{id?}': '{id?} is not a parameter (did you mean {id}?)',
  '/tasks/{id*}': '{id*} is not a parameter (did you mean {id}?)',
  '/tasks/{...id}': '{...id} is not a parameter (did you mean {id}?)',
  '/tasks/a{id}}': 'the braces of the path are not balanced in a{id}}',
  '/tasks/a<id>': 'a path must not contain < or >, got a<id>',
  '/tasks/*': 'a path has no wildcards, got *; name a parameter, such as {name}, which matches one segment',
  '/tasks/*rest':
    'a path has no wildcards, got *rest; name a parameter, such as {name}, which matches one segment',
  '/tasks/{}': 'a path parameter must have a name',
  '/tasks/{id}{title}': 'two path parameters must be separated by text',
  '/tasks/{id}/of/{id}': 'the path has {id} twice; give each parameter a name of its own',
  '/tasks/{id}?full=1': 'a path must not contain a query (did you mean /tasks/{id}?)',
  '/tasks/{id}#x': 'a path must not contain #: no request has a fragment',
  '/tasks/../{id}': 'a path must not have the segments . or ..',
  '/tasks /{id}': 'a path must not contain white space',
  'tasks/{id}': 'a path must start with a slash (did you mean /tasks/{id}?)',
  'https://example.com/tasks/{id}': 'a path must not have a scheme and a host (did you mean /tasks/{id}?)',
  '/tasks/{di}': 'the data has no field di, which the path names (did you mean {id}?)',
};

/** Members of the event `tasks.get`, with the reason why they are rejected. */
const EVENTS: readonly (readonly [event: unknown, reason: string])[] = [
  [{ path: 7 }, 'path must be a string, got 7'],
  [{ path: undefined }, 'method and path must be set together'],
  [{ method: undefined }, 'method and path must be set together'],
  [
    { method: 'get' },
    'method must be GET, HEAD, QUERY, POST, PUT, PATCH, DELETE or OPTIONS, got "get" (did you mean GET?)',
  ],
  [
    { method: 'PSOT' },
    'method must be GET, HEAD, QUERY, POST, PUT, PATCH, DELETE or OPTIONS, got "PSOT" (did you mean POST?)',
  ],
  [{ reply: { 200: 'OK' } }, 'unknown member reply (did you mean replies?)'],
  [{ reponses: {} }, 'unknown member reponses (did you mean replies?)'],
  [{ timout: 5 }, 'unknown member timout (did you mean timeout?)'],
  [{ schema: data }, 'unknown member schema (did you mean data?)'],
  [{ colour: 'red' }, 'unknown member colour'],
  [{ replies: [] }, 'replies must be an object, got []'],
  [{ replies: { '20O': 'OK' } }, 'a reply cannot have the status 20O (did you mean 200?)'],
  [{ replies: { '4xx': 'OK' } }, 'a reply cannot have the status 4xx (did you mean 4XX?)'],
  [{ replies: { defualt: 'OK' } }, 'a reply cannot have the status defualt (did you mean default?)'],
  [{ replies: { 200: 7 } }, 'the reply 200 must be an object, got 7'],
  [{ replies: { 200: { schema: data } } }, 'the reply 200: unknown member schema (did you mean data?)'],
  [
    { replies: { 200: { desciption: 'OK' } } },
    'the reply 200: unknown member desciption (did you mean description?)',
  ],
  [
    { replies: { 200: { data: {} } } },
    'the reply 200: data must be a Joi schema or implement Standard Schema',
  ],
  [{ in: { title: 7 } }, "in must have a place for title, such as 'header:X-Name', got 7"],
  [{ bodyTypes: [] }, 'bodyTypes must be a list of media types, got []'],
  [{ bodyTypes: ['json'] }, 'bodyTypes must be a list of media types, got "json"'],
  [
    { bodyTypes: ['application/pdf', 'text/csv'] },
    'bodyTypes cannot be served: the gateway reads no body of application/pdf, text/csv: it cannot turn one into ' +
      'an object, and every request is answered 415; add application/json, another JSON type or a form',
  ],
  [{ timeout: '5s' }, 'timeout must be an integer from 1 to 2147483647, in milliseconds, got "5s"'],
  [{ timeout: 0 }, 'timeout must be an integer from 1 to 2147483647, in milliseconds, got 0'],
  [{ sunset: 'tomorrow' }, 'sunset must be a date, got "tomorrow"'],
  [{ deprecatedSince: new Date(NaN) }, 'deprecatedSince must be a date, got Invalid Date'],
  [{ etag: 'yes' }, 'etag must be a boolean, got "yes"'],
  [
    { unknownQuery: 'ignored' },
    'unknownQuery must be reject or ignore, got "ignored" (did you mean ignore?)',
  ],
  [{ data: Joi.string() }, 'data must be an object, not string: event data is one object with named fields'],
  [{ data: {} }, 'data must be a Joi schema or implement Standard Schema'],
  [{ data: data.external(() => undefined) }, 'data must not have asynchronous rules (external)'],
  [{ tags: 'tasks' }, 'tags must be an array, got "tasks"'],
  ['GET /tasks', 'the definition must be an object, got "GET /tasks"'],
  [null, 'the definition must be an object, got null'],
];

/** Places of fields of the event `tasks.get`, with the reason why they are rejected. */
const PLACES: readonly (readonly [event: object, reason: string])[] = [
  [{ in: { titel: 'query' } }, 'in: the data has no field titel (did you mean title?)'],
  [{ in: { id: 'path:di' } }, 'in: the path has no {di} (did you mean {id}?)'],
  [{ in: { title: 'qeury' } }, 'in: "qeury" is not a valid location of title (did you mean query?)'],
  [{ stickyKey: 'idd' }, 'stickyKey: the data has no field idd (did you mean id?)'],
];

const NAMES: Readonly<Record<string, string>> = {
  '': 'an event must have a name',
  'tasks get': 'the name of an event must not contain white space (did you mean tasks.get?)',
  ' tasks.get': 'the name of an event must not contain white space (did you mean tasks.get?)',
  $tasks: 'the name of an event must not start with $',
  heartbeat: 'the event name heartbeat is used by the protocol itself',
};

const CONTRACTS: readonly (readonly [members: object, message: string])[] = [
  [{ name: undefined }, 'a contract must have a name'],
  [{ name: '' }, 'a contract must have a name'],
  [{ events: undefined }, 'tasks: events must be an object, got null'],
  [{ event: {} }, 'tasks: unknown member event (did you mean events?)'],
  [{ actions: {} }, 'tasks: unknown member actions (did you mean events?)'],
  [{ securitySchema: {} }, 'tasks: unknown member securitySchema (did you mean securitySchemes?)'],
  [{ convert: 'no' }, 'tasks: convert must be a boolean, got "no"'],
];

describe('broken contracts', () => {
  const route = { method: 'GET', path: '/tasks/{id}', data };
  const broken = (event: unknown): object => ({
    'tasks.get': typeof event === 'object' && event !== null ? { ...route, ...event } : event,
  });

  for (const [path, reason] of Object.entries(PATHS)) {
    it(`broken contracts: the path ${path}`, () => {
      assert.equal(messageOf({ events: broken({ path }) }), `tasks: GET ${path}: event tasks.get: ${reason}`);
    });
  }

  for (const [event, reason] of EVENTS) {
    it(`broken contracts: ${reason}`, () => {
      assert.equal(messageOf({ events: broken(event) }), `tasks: event tasks.get: ${reason}`);
    });
  }

  for (const [event, reason] of PLACES) {
    it(`broken contracts: ${reason}`, () => {
      const message = messageOf({ events: broken(event) });
      assert.equal(message, `tasks: GET /tasks/{id}: event tasks.get: ${reason}`);
    });
  }

  for (const [name, reason] of Object.entries(NAMES)) {
    it(`broken contracts: the event name ${JSON.stringify(name)}`, () => {
      assert.equal(messageOf({ events: { [name]: {} } }), `tasks: event ${name}: ${reason}`);
    });
  }

  for (const [members, message] of CONTRACTS) {
    it(`broken contracts: ${message}`, () => {
      assert.equal(messageOf(members), message);
    });
  }

  it('broken contracts: two events that match the same requests', () => {
    const events = {
      'tasks.get': { method: 'GET', path: '/tasks/{id}' },
      'tasks.find': { method: 'GET', path: '/tasks/{name}' },
    };
    assert.equal(
      messageOf({ events }),
      'tasks: GET /tasks/{name}: event tasks.find: the event tasks.get has this method and path',
    );
  });

  it('broken contracts: lists the mistakes of all events', () => {
    const events = { a: { methd: 'GET', pth: '/a' }, b: { method: 'GET', path: '/b/:id' }, c: {} };
    assert.deepEqual(messageOf({ events }).split('\n'), [
      'tasks: event a: unknown member methd (did you mean method?)',
      'tasks: event a: unknown member pth (did you mean path?)',
      'tasks: GET /b/:id: event b: :id is not a parameter (did you mean {id}?)',
    ]);
  });

  it('broken contracts: names the version of Joi when a schema comes from another one', () => {
    const foreign = { [Symbol.for('@hapi/joi/schema')]: { version: '17.13.3' } };
    assert.match(
      messageOf({ events: broken({ data: foreign }) }),
      /^tasks: event tasks\.get: the schema was created by joi 17\.13\.3, and this package uses joi 18\.\d+\.\d+; import Joi from zeromq-gateway, or install that version$/,
    );
  });
});

/** Never called: the compiler finds these mistakes while the author writes. */
export function mistakesOfTypes(): void {
  // @ts-expect-error a misspelled member
  defineContract({ name: 'tasks', events: { a: { method: 'GET', path: '/a', reply: { 200: 'OK' } } } });
  // @ts-expect-error the compiler suggests /tasks/{id}
  defineContract({ name: 'tasks', events: { a: { method: 'GET', path: '/tasks/:id' } } });
  // @ts-expect-error the compiler suggests /tasks/{id}/notes
  defineContract({ name: 'tasks', events: { a: { method: 'GET', path: '/tasks/:id/notes' } } });
  // @ts-expect-error methods are written in upper case
  defineContract({ name: 'tasks', events: { a: { method: 'get', path: '/tasks' } } });
  // @ts-expect-error a misspelled member of the contract
  defineContract({ name: 'tasks', evnts: {}, events: {} });
  const path: string = '/tasks/{id}';
  defineContract({ name: 'tasks', events: { a: { method: 'GET', path } } });
}
