/** How the page of Swagger UI prepares the document for readers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

type Document = Record<string, unknown>;
const FILE = new URL('../../../../src/gateway/pages/swagger-ui-page.js', import.meta.url).href;
const { prepared, shownKey, startsCollapsed } = (await import(FILE)) as {
  prepared: (document: unknown) => Document;
  shownKey: (parts: string[]) => string[];
  startsCollapsed: (document: unknown) => boolean;
};

function documentOf(operation: Document, components: Document = {}): Document {
  return {
    openapi: '3.1.0',
    info: { title: 'A' },
    paths: { '/a': { summary: 's', get: operation } },
    components,
  };
}

function operationOf(document: Document): Document {
  return (document['paths'] as { '/a': { get: Document } })['/a'].get;
}

describe('Swagger UI page', () => {
  it('Swagger UI page: prefills required parameters with values that a reader recognises', () => {
    const schemas = { Day: { type: 'string', format: 'date' } };
    const cases: [schema: unknown, example: unknown][] = [
      [{ type: 'string' }, 'sample'],
      [{ type: 'string', format: 'uuid' }, '3fa85f64-5717-4562-b3fc-2c963f66afa6'],
      [{ $ref: '#/components/schemas/Day' }, '2026-01-31'],
      [{ type: 'string', examples: ['bolt-m6'] }, 'bolt-m6'],
      [{ type: 'string', enum: ['red', 'blue'] }, 'red'],
      [{ type: 'integer', minimum: 10 }, 10],
      [{ type: 'integer', maximum: 0 }, 0],
      [{ type: 'number', exclusiveMinimum: 3, multipleOf: 5 }, 10],
      [{ type: ['null', 'boolean'] }, true],
      [{ type: 'string', pattern: '^[A-Z]{3}$' }, undefined],
      [{ type: 'string', maxLength: 3 }, undefined],
    ];
    const parameters = cases.map(([schema], at) => ({ name: `p${at}`, in: 'query', required: true, schema }));
    const shown = operationOf(prepared(documentOf({ parameters }, { schemas })))['parameters'];
    assert.deepEqual(
      (shown as { example?: unknown }[]).map(({ example }) => example),
      cases.map(([, example]) => example),
    );
  });

  it('Swagger UI page: keeps examples of the document, and leaves optional parameters empty', () => {
    const parameters = [
      { name: 'a', in: 'query', required: true, example: 7, schema: { type: 'integer' } },
      { name: 'b', in: 'query', schema: { type: 'integer' } },
      { $ref: '#/components/parameters/Unknown' },
    ];
    assert.deepEqual(operationOf(prepared(documentOf({ parameters })))['parameters'], parameters);
  });

  it('Swagger UI page: marks operations without a worker in the list', () => {
    const marked = (operation: Document): unknown => operationOf(prepared(documentOf(operation)))['summary'];
    assert.equal(marked({ 'x-available': false, summary: 'Get a' }), '⚠ no worker connected – Get a');
    assert.equal(marked({ 'x-available': false }), '⚠ no worker connected');
    assert.equal(marked({ summary: 'Get a' }), 'Get a');
  });

  it('Swagger UI page: shows one response for the errors of the gateway', () => {
    const problem = (status: string): Document => ({ $ref: `#/components/responses/Problem${status}` });
    const own = { description: 'not found' };
    const responses = { 200: { description: 'ok' }, 404: own, 400: problem('400'), 503: problem('503') };
    const document = documentOf({ responses });
    const shown = operationOf(prepared(document))['responses'] as Record<string, Document>;
    assert.deepEqual(Object.keys(shown), ['200', '404', 'default']);
    assert.equal(shown['404'], own);
    assert.equal(shown['default']?.['description'], 'Errors of the gateway, as problem details: 400, 503.');
    const { content } = shown['default'] as { content: Record<string, { example: { code: string } }> };
    assert.equal(content['application/problem+json']?.example.code, 'INVALID_REQUEST');
    assert.deepEqual(operationOf(document)['responses'], responses, 'the document itself is unchanged');
  });

  it('Swagger UI page: shows tags in an order that does not depend on the order of the paths', () => {
    const item = (tag: string): Document => ({ get: { tags: [tag] } });
    const tags = [{ name: 'orders', description: 'd' }];
    const paths = { '/1': item('users'), '/2': item('clock'), '/3': item('orders') };
    assert.deepEqual(prepared({ tags, paths })['tags'], [...tags, { name: 'clock' }, { name: 'users' }]);
  });

  it('Swagger UI page: shows tags whose operations have no worker last', () => {
    const item = (tag: string, available?: boolean): Document => ({
      get: { tags: [tag], ...(available === false && { 'x-available': false }) },
    });
    const paths = { '/1': item('a', false), '/2': item('b', false), '/3': item('b'), '/4': item('c') };
    const tags = [{ name: 'a' }, { name: 'b' }];
    assert.deepEqual(prepared({ tags, paths })['tags'], [{ name: 'b' }, { name: 'c' }, { name: 'a' }]);
  });

  it('Swagger UI page: keeps a default response of the document', () => {
    const responses = {
      400: { $ref: '#/components/responses/Problem400' },
      503: { $ref: '#/components/responses/Problem503' },
      default: { description: 'any' },
    };
    assert.deepEqual(operationOf(prepared(documentOf({ responses })))['responses'], responses);
  });

  it('Swagger UI page: an address names a tag or an operation, whose id may have slashes', () => {
    assert.deepEqual(shownKey(['tasks']), ['operations-tag', 'tasks']);
    assert.deepEqual(shownKey(['tasks', 'getTask']), ['operations', 'tasks', 'getTask']);
    assert.deepEqual(shownKey(['tasks', 'tasks', 'get']), ['operations', 'tasks', 'tasks/get']);
    assert.deepEqual(shownKey(['']), []);
  });

  it('Swagger UI page: the tags of a document with more than 150 operations are closed at first', () => {
    const of = (count: number): Document => ({
      paths: Object.fromEntries(Array.from({ length: count }, (_, n) => [`/${n}`, { get: {}, post: {} }])),
    });
    assert.deepEqual(
      [startsCollapsed(of(75)), startsCollapsed(of(76)), startsCollapsed({})],
      [false, true, false],
    );
  });
});
