import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const schema = { type: 'integer', default: 20 };
const parametersOf = (required: boolean): object[] =>
  ['query', 'header', 'cookie'].map((location) => ({
    name: `x-${location}`,
    in: location,
    required,
    schema,
  }));
const api = apiOf({
  '/required': { get: { parameters: parametersOf(true), responses: { 200: { description: 'ok' } } } },
  '/optional': { get: { parameters: parametersOf(false), responses: { 200: { description: 'ok' } } } },
});

for (const [name, host] of HOSTS) {
  describe(`parameters with a default on ${name}`, () => {
    it(`parameters with a default on ${name}: are required if the document says so (OpenAPI 3.1.1, Parameter Object)`, async (t) => {
      const requester = new FakeRequester({ 'get.required': () => null });
      const { url } = await host(t, { requester, api });
      const { status, errors } = await problemOf(await fetch(`${url}/required`));
      assert.equal(status, 400);
      assert.deepEqual(
        errors?.map(({ pointer, detail }) => `${pointer} ${detail}`).sort(),
        ['/cookie/x-cookie', '/header/x-header', '/query/x-query'].map((at) => `${at} is required`),
      );
      const headers = { 'x-header': '2', cookie: 'x-cookie=3' };
      assert.equal((await fetch(`${url}/required?x-query=1`, { headers })).status, 200);
      assert.deepEqual(requester.data, { 'x-query': 1, 'x-header': 2, 'x-cookie': 3 });
    });

    it(`parameters with a default on ${name}: get the default if they are optional`, async (t) => {
      const requester = new FakeRequester({ 'get.optional': () => null });
      const { url } = await host(t, { requester, api });
      assert.equal((await fetch(`${url}/optional`)).status, 200);
      assert.deepEqual(requester.data, { 'x-query': 20, 'x-header': 20, 'x-cookie': 20 });
    });
  });
}
