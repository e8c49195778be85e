/** A document whose operations have replies of many kinds. */
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';

const task = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] };
const replies = { 200: { description: 'ok', content: { 'application/json': { schema: task } } } };
const id = parameter('id', 'path', { type: 'string' });
export const api = apiOf({
  '/x': { get: {}, post: jsonBody(true), put: {}, delete: {} },
  '/slow': { get: { 'x-timeout-ms': 1234 } },
  '/older': { get: { deprecated: true, 'x-deprecated-since': '2024-03-01T00:00:00Z' } },
  '/old': { get: { deprecated: true, 'x-sunset': '2030-01-01T00:00:00Z' } },
  '/typed': { get: { responses: replies } },
  '/ranged': {
    get: {
      responses: {
        200: { description: 'ok', content: { 'text/*': {}, 'application/json; charset=utf-8': {} } },
      },
    },
  },
  '/csv': { get: { responses: { 200: { description: 'ok', content: { 'text/csv': {} } } } } },
  '/tagged/{id}': {
    get: { 'x-etag': true, parameters: [id] },
    put: { parameters: [id], ...jsonBody(true) },
    delete: { parameters: [id] },
  },
  '/sticky/{id}': { get: { parameters: [id], 'x-sticky-key': 'id' } },
  '/mixed/{id}': {
    post: {
      parameters: [id, parameter('limit', 'query', { type: 'integer' })],
      ...jsonBody({ type: 'object' }),
    },
  },
});
