/**
 * Binding: from a parsed HTTP request to event data, using the compiled binding of an operation.
 */

import type * as BinderModule from '../../src/gateway/binding/binder.ts';
import type * as TemplateModule from '../../src/gateway/paths/path-pattern.ts';
import type * as ValidateModule from '../../src/gateway/validation/validate.ts';
import type * as RegistryModule from '../../src/openapi/registry/registry.ts';
import { built } from '../drivers/built.ts';
import type { MicroSuite, MicroTask } from './task.ts';

const MAX_DEPTH = 100;
const responses = { 200: { description: 'Done' } };
const text = { type: 'string', maxLength: 100 };
const parameter = (name: string, place: string, schema: object): object => ({
  name,
  in: place,
  schema,
  required: place === 'path',
});
const body = {
  required: true,
  content: {
    'application/json': { schema: { type: 'object', required: ['title'], properties: { title: text } } },
  },
};

const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Benchmark', version: '1.0.0' },
  paths: {
    '/echo/{message}': {
      get: { 'x-event-name': 'echo.get', parameters: [parameter('message', 'path', text)], responses },
    },
    '/tasks': {
      get: {
        'x-event-name': 'tasks.list',
        parameters: [
          parameter('limit', 'query', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
          parameter('state', 'query', { enum: ['open', 'closed'] }),
          parameter('tags', 'query', { type: 'array', items: text }),
        ],
        responses,
      },
      post: { 'x-event-name': 'tasks.create', requestBody: body, responses },
    },
    '/tasks/{id}': {
      put: {
        'x-event-name': 'tasks.replace',
        parameters: [parameter('id', 'path', { type: 'integer', minimum: 1 })],
        requestBody: body,
        responses,
      },
    },
  },
};

interface Case {
  readonly event: string;
  readonly path: string;
  readonly query: string;
  readonly body?: Buffer;
}

const TASK = Buffer.from('{"title":"buy milk"}');
const CASES: readonly Case[] = [
  { event: 'echo.get', path: '/echo/hello', query: '' },
  { event: 'tasks.list', path: '/tasks', query: 'limit=10&state=open&tags=a&tags=b' },
  { event: 'tasks.create', path: '/tasks', query: '', body: TASK },
  { event: 'tasks.replace', path: '/tasks/17', query: '', body: TASK },
];

/** Binds requests of several shapes. */
export async function bindingSuite(): Promise<MicroSuite> {
  const { ApiRegistry } = await built<typeof RegistryModule>('openapi/registry/registry');
  const { Binder } = await built<typeof BinderModule>('gateway/binding/binder');
  const { parseTemplate } = await built<typeof TemplateModule>('gateway/paths/path-pattern');
  const { Validators } = await built<typeof ValidateModule>('gateway/validation/validate');
  const snapshot = new ApiRegistry().put('benchmark', DOCUMENT);
  const { document, operations } = snapshot;
  const validators = new Validators(snapshot);
  const tasks = CASES.map((each): MicroTask => {
    const operation = operations.find(({ eventName }) => eventName === each.event);
    if (operation === undefined) throw new Error(`no operation ${each.event}`);
    const template = parseTemplate(operation.path);
    const ignoredQuery = new Set<string>();
    const binder = new Binder({
      operation,
      document,
      validators,
      template,
      ignoredQuery,
      maxDepth: MAX_DEPTH,
    });
    const source = { segments: each.path.slice(1).split('/'), query: each.query, headers: {} };
    const { method, path } = operation;
    return {
      name: `${method.toUpperCase()} ${path}${each.query === '' ? '' : `?${each.query}`}`,
      units: 1,
      run() {
        const bound = binder.bind(source, 'application/json', each.body);
        if (Array.isArray(bound)) throw new Error(JSON.stringify(bound));
      },
    };
  });
  return { title: 'Binding of a request to event data', tasks };
}
