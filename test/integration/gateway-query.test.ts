/** Methods of OpenAPI 3.2: QUERY, and those of `additionalOperations`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { defineContract } from '../../src/index.ts';
import { ApiRegistry } from '../../src/openapi/index.ts';
import { parameter } from '../helpers/gateway/api.ts';
import { HOSTS, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const text = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } };
const ok = { responses: { 200: { description: 'OK' } } };
const content = { 'application/json': { schema: text } };
const DOCUMENT = {
  openapi: '3.2.0',
  info: { title: 'Search', version: '1' },
  paths: {
    '/things/{id}': {
      parameters: [parameter('id', 'path', { type: 'integer' })],
      get: { operationId: 'things.get', ...ok },
      query: { operationId: 'things.search', requestBody: { required: true, content }, ...ok },
      additionalOperations: { COPY: { operationId: 'things.copy', ...ok } },
    },
  },
};

describe('methods of OpenAPI 3.2', () => {
  for (const [name, host] of HOSTS) {
    it(`QUERY and COPY on ${name}: are validated and become events, QUERY as one that is idempotent`, async (t) => {
      const api = new ApiRegistry();
      api.put('things', DOCUMENT);
      const requester = new FakeRequester();
      const { url } = await host(t, { requester, api });
      const request = (method: string, body?: unknown) =>
        fetch(`${url}/things/7`, {
          method,
          headers: { 'content-type': 'application/json', connection: 'close' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
      assert.equal((await request('QUERY', { text: 'a' })).status, 200);
      const [search] = requester.requests;
      assert.deepEqual([search?.eventName, search?.idempotent], ['things.search', true]);
      assert.deepEqual(requester.data, { id: 7, text: 'a' });
      const wrong = await problemOf(await request('QUERY', { text: 7 }));
      assert.deepEqual([wrong.status, wrong.errors?.[0]?.pointer], [400, '/body/text']);
      assert.equal((await request('COPY')).status, 200);
      const copy = requester.requests.at(-1);
      assert.deepEqual([copy?.eventName, copy?.idempotent], ['things.copy', false]);
      const moved = await request('MOVE');
      assert.deepEqual([moved.status, moved.headers.get('allow')], [405, 'GET, HEAD, QUERY, OPTIONS, COPY']);
      const served = (await (await fetch(`${url}/openapi.json?version=3.2`)).json()) as typeof DOCUMENT;
      const item = served.paths['/things/{id}'];
      assert.equal(item.query.operationId, 'things.search');
      assert.equal(item.additionalOperations.COPY.operationId, 'things.copy');
    });
  }

  it('QUERY of a contract in TypeScript: its data is the body', () => {
    const data = Joi.object({ id: Joi.number().required(), text: Joi.string().required() });
    const contract = defineContract({
      name: 'things',
      events: { 'things.search': { method: 'QUERY', path: '/things/{id}', data } },
    });
    const api = new ApiRegistry();
    const { operations } = api.put('things', contract.fragment(), { kind: 'worker' });
    const [operation] = operations;
    assert.deepEqual([operation?.method, operation?.idempotent], ['query', true]);
    assert.deepEqual(
      operation?.parameters.map(({ field }) => field),
      ['id'],
    );
    assert.equal(operation?.bodies.length, 1);
  });
});
