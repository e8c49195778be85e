/** A document whose operations take bodies of many kinds. */
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';

const task = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string', minLength: 1 }, done: { type: 'boolean', default: false } },
};
const id = parameter('id', 'path', { type: 'integer' });
const anything = { type: 'object' };
const fields = {
  type: 'object',
  properties: {
    n: { type: 'integer' },
    tags: { type: 'array', items: { type: 'string' } },
    at: { type: 'object' },
  },
};
export const api = apiOf({
  '/any': { post: jsonBody(anything) },
  '/value': {
    post: jsonBody(true),
    patch: { requestBody: { content: { 'application/json': { schema: true } } } },
  },
  '/tasks': { post: jsonBody(task) },
  '/tasks/{id}': { put: { parameters: [id], ...jsonBody(anything) } },
  '/nested/{id}': { put: { parameters: [id], 'x-event-body': 'nested', ...jsonBody(anything) } },
  '/vendor': { post: { requestBody: { content: { 'application/vnd.x+json': { schema: anything } } } } },
  '/range': { post: { requestBody: { content: { 'application/*': { schema: anything } } } } },
  '/form': {
    post: { requestBody: { content: { 'application/x-www-form-urlencoded': { schema: fields } } } },
  },
  '/upload': { post: { requestBody: { content: { 'multipart/form-data': { schema: anything } } } } },
  '/bare': { post: {}, get: {} },
});

export const JSON_TYPE = { 'content-type': 'application/json' };
export const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
