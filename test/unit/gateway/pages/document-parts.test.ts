/** A large document in parts: its index, and the document of one operation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OpenAPIV3_1 } from 'openapi-types';
import { indexOf, operationDocument } from '../../../../src/gateway/pages/document-parts.ts';

const ref = (section: string, name: string) => ({ $ref: `#/components/${section}/${name}` });
const json = (schema: unknown) => ({ 'application/json': { schema } });

const get = {
  operationId: 'tasks/get',
  tags: ['tasks'],
  summary: 'Get a task',
  deprecated: true,
  security: [{ key: [] }],
  'x-available': false,
  description: 'long',
  'x-event-name': 'tasks.get',
  parameters: [ref('parameters', 'Id')],
  responses: { 200: { description: 'ok', content: json(ref('schemas', 'Task')) } },
};
const put = { responses: { 200: ref('responses', 'Stored') } };
const changed = {
  post: { summary: 'A task has changed', requestBody: { content: json(ref('schemas', 'Id')) } },
};
const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } };
const components = {
  securitySchemes,
  schemas: {
    Id: { type: 'string' },
    // Refers to itself.
    Task: {
      type: 'object',
      properties: { id: ref('schemas', 'Id'), parents: { items: ref('schemas', 'Task') } },
    },
    Unused: { type: 'null' },
    ['__proto__']: { type: 'string' },
  },
  parameters: { Id: { name: 'id', in: 'path', required: true, schema: ref('schemas', '__proto__') } },
  responses: { Stored: { description: 'stored' } },
  pathItems: { Changed: changed },
};
const document = {
  openapi: '3.1.0',
  info: { title: 'Tasks', version: '1' },
  servers: [{ url: '/' }],
  tags: [{ name: 'tasks' }],
  paths: { '/tasks/{id}': { get, put, 'x-operation-copy': { summary: 'Copy' } } },
  webhooks: { changed: ref('pathItems', 'Changed') },
  components,
} as unknown as OpenAPIV3_1.Document;

const operation = (section: string, name: string, method: string) =>
  operationDocument(document, { section, name, method }) as typeof document | undefined;

describe('document parts', () => {
  it('document parts: the index has what a list of operations shows, and no schemas', () => {
    const { operationId, tags, summary, deprecated, security } = get;
    const listed = { operationId, tags, summary, deprecated, security, 'x-available': false };
    assert.deepEqual(indexOf(document), {
      ...document,
      'x-index': true,
      paths: { '/tasks/{id}': { get: listed, put: {} } },
      webhooks: { changed: { post: { summary: 'A task has changed' } } },
      components: { securitySchemes },
    });
  });

  it('document parts: the document of an operation has the components that it refers to, and no others', () => {
    const { openapi, info } = document;
    const shown = operation('paths', '/tasks/{id}', 'get');
    const schemas = Object.fromEntries(
      Object.entries(components.schemas).filter(([name]) => name !== 'Unused'),
    );
    assert.deepEqual(shown, {
      openapi,
      info,
      paths: { '/tasks/{id}': { get } },
      components: { schemas, parameters: components.parameters },
    });
    assert.deepEqual(operation('paths', '/tasks/{id}', 'put')?.components, {
      responses: components.responses,
    });
  });

  it('document parts: operations of webhooks are found through the path item that they refer to', () => {
    const shown = operation('webhooks', 'changed', 'post');
    assert.deepEqual(shown?.webhooks, { changed });
    assert.deepEqual(shown?.components, { schemas: { Id: components.schemas.Id } });
  });

  it('document parts: an unknown operation has no document', () => {
    const places = [
      ['paths', '/tasks/{id}', 'patch'],
      ['paths', '/tasks/{id}', 'constructor'],
      ['paths', 'constructor', 'get'],
      ['components', 'schemas', 'Task'],
      ['', '', ''],
    ] as const;
    for (const [section, name, method] of places) {
      assert.equal(operation(section, name, method), undefined, `${section} ${name} ${method}`);
    }
  });
});
