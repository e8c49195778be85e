/**
 * Likely mistakes in operations. A contract that a worker announces is rejected; a document of the
 * operator is served, with a warning.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from 'zeromq-gateway';
import { ApiRegistry } from 'zeromq-gateway/gateway';

type Operation = Readonly<Record<string, unknown>>;

const parameter = (name: string, where = 'path'): object => ({
  name,
  in: where,
  required: true,
  schema: { type: 'string' },
});
const body = (...types: string[]): Operation => ({
  requestBody: { content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'object' } }])) },
});

/** Path, operation, and the text after the location. */
const SLIPS: readonly (readonly [path: string, operation: Operation, reason: string])[] = [
  ['/tasks/:id', {}, ':id is not a parameter (did you mean {id}?)'],
  ['/tasks/[id]', {}, '[id] is not a parameter (did you mean {id}?)'],
  ['/tasks/<id>', {}, '<id> is not a parameter (did you mean {id}?)'],
  [
    '/tasks/*',
    {},
    'a path has no wildcards, got *; name a parameter, such as {name}, which matches one segment',
  ],
  ['/tasks/{id}/of/{id}', {}, 'the path has {id} twice; give each parameter a name of its own'],
  [
    '/tasks/{id}',
    { parameters: [parameter('di')] },
    'the path has no {di}, which is a path parameter (did you mean {id}?)',
  ],
  ['/tasks', { parameters: [parameter('id')] }, 'the path has no {id}, which is a path parameter'],
  [
    '/tasks',
    { responses: { '20O': { description: 'OK' } } },
    'a reply cannot have the status 20O (did you mean 200?)',
  ],
  ['/tasks', { 'x-timeout-sm': 5 }, 'unknown member x-timeout-sm (did you mean x-timeout-ms?)'],
  ['/tasks', { 'x-idempotant': true }, 'unknown member x-idempotant (did you mean x-idempotent?)'],
  [
    '/tasks',
    body('text/csv', 'application/pdf'),
    'the gateway reads no body of text/csv, application/pdf: it cannot turn one into an object, and ' +
      'every request is answered 415; add application/json, another JSON type or a form',
  ],
];

/** A document with one operation, which has the event `tasks.post`. */
function documentOf(template: string, operation: Operation): object {
  const post = { 'x-event-name': 'tasks.post', responses: { 200: { description: 'OK' } }, ...operation };
  return {
    openapi: '3.1.0',
    info: { title: 'Tasks', version: '1.0.0' },
    paths: { [template]: { post } },
  };
}

function warningsOf(document: object): readonly string[] {
  const warnings: string[] = [];
  new ApiRegistry().put('api.yaml', document, { onWarning: ({ message }) => warnings.push(message) });
  return warnings;
}

describe('likely mistakes in operations', () => {
  for (const [template, operation, reason] of SLIPS) {
    it(`likely mistakes: a contract of a worker is rejected: ${template} ${reason}`, () => {
      assert.throws(
        () => new ApiRegistry().put('tasks', documentOf(template, operation), { kind: 'worker' }),
        (error) => {
          assert.ok(error instanceof ContractError);
          assert.equal(error.reason, reason);
          assert.match(error.message, /^tasks: (POST )?\/tasks/);
          return true;
        },
      );
    });

    it(`likely mistakes: a document is served with a warning: ${template} ${reason}`, () => {
      const [warning, ...others] = warningsOf(documentOf(template, operation));
      assert.match(warning ?? '', /^api\.yaml: (POST )?\/tasks/);
      assert.ok(warning?.endsWith(`: ${reason}`), warning);
      assert.deepEqual(others, []);
    });
  }

  it('likely mistakes: correct operations, and extensions of others, have no warning', () => {
    const operation = {
      parameters: [parameter('id'), parameter('x-tenant', 'header')],
      responses: {
        200: { description: 'OK' },
        '4xx': { description: 'Error' },
        default: { description: 'E' },
      },
      'x-internal': true,
      'x-codegen-request-body-name': 'body',
      ...body('text/csv', 'application/merge-patch+json'),
    };
    const document = documentOf('/tasks/{id}:cancel', operation);
    assert.deepEqual(warningsOf(document), []);
    new ApiRegistry().put('tasks', document, { kind: 'worker' });
  });

  it('likely mistakes: a method in upper case, which OpenAPI ignores, is rejected in documents as well', () => {
    for (const [method, meant] of [
      ['GET', 'get'],
      ['psot', 'post'],
    ] as const) {
      const paths = { '/tasks': { [method]: { 'x-event-name': 'tasks.get', responses: {} } } };
      for (const kind of ['document', 'worker'] as const) {
        assert.throws(() => new ApiRegistry().put('tasks', { openapi: '3.1.0', paths }, { kind }), {
          message: `tasks: /tasks: at #/paths/~1tasks: "${method}" is not a method (did you mean ${meant}?)`,
        });
      }
    }
  });
});
