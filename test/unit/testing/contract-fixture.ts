/** A document with all kinds of parameters and bodies, and a worker that conforms to it. */
import { defineWorker, reply } from 'zeromq-gateway';

const text = { type: 'string', minLength: 2, maxLength: 10 } as const;

const item = {
  type: 'object',
  required: ['id', 'name'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    name: text,
    kind: { enum: ['a', 'b'] },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, maxItems: 3, uniqueItems: true },
    price: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.01 },
    created: { type: 'string', format: 'date-time' },
    parent: { oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/Parent' }] },
  },
  additionalProperties: false,
} as const;

export const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Items', version: '1' },
  components: {
    schemas: {
      Item: item,
      Parent: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
    },
  },
  paths: {
    '/items/{id}': {
      get: {
        'x-event-name': 'items.get',
        parameters: [
          { in: 'path', name: 'id', required: true, schema: { type: 'integer', minimum: 1, maximum: 1000 } },
          {
            in: 'query',
            name: 'fields',
            explode: false,
            schema: { type: 'array', items: { enum: ['id', 'name'] } },
          },
          {
            in: 'query',
            name: 'page',
            style: 'deepObject',
            schema: { type: 'object', properties: { size: { type: 'integer', maximum: 50 } } },
          },
          {
            in: 'query',
            name: 'filter',
            content: {
              'application/json': { schema: { type: 'object', properties: { q: text }, required: ['q'] } },
            },
          },
          {
            in: 'header',
            name: 'X-Trace',
            required: true,
            schema: { type: 'string', pattern: '^[0-9a-f]{4,8}$' },
          },
          { in: 'cookie', name: 'session', schema: { type: 'string', format: 'uuid' } },
        ],
        responses: {
          200: {
            description: 'The item',
            headers: { 'X-Total': { required: true, schema: { type: 'integer' } } },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Item' } } },
          },
        },
      },
    },
    '/items': {
      post: {
        'x-event-name': 'items.add',
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/Item' } },
            'application/x-www-form-urlencoded': {
              schema: { type: 'object', required: ['name'], properties: { name: text } },
            },
          },
        },
        responses: {
          201: {
            description: 'The item',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Item' } } },
          },
        },
      },
      delete: { 'x-event-name': 'items.clear', responses: { 204: { description: 'No items are left' } } },
    },
  },
};

const found = {
  id: 1,
  name: 'bolt',
  kind: 'a',
  tags: ['new'],
  price: 0.5,
  created: '2026-01-01T00:00:00Z',
  parent: null,
};

export const conforming = defineWorker({
  handlers: {
    'items.get': ({ id }: { id: number }) => reply(200, { ...found, id }, { 'x-total': '1' }),
    'items.add': () => reply(201, found),
    'items.clear': () => reply(204),
  },
});
