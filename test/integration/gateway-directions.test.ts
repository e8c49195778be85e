import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS, type Hosted, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

const user = {
  type: 'object',
  required: ['id', 'name', 'password'],
  properties: {
    id: { type: 'integer', readOnly: true, default: 40 },
    name: { type: 'string' },
    password: { type: 'string', writeOnly: true },
    lang: { type: 'string', default: 'en' },
    home: { type: 'object', properties: { at: { readOnly: true, default: 1 }, city: { default: 'x' } } },
  },
};
const schema = { $ref: '#/components/schemas/User' };
const FORM_TYPE = 'application/x-www-form-urlencoded';
const api = apiOf(
  {
    '/users': {
      post: {
        requestBody: { content: { 'application/json': { schema }, [FORM_TYPE]: { schema } } },
        responses: { 200: { description: 'ok', content: { 'application/json': { schema } } } },
      },
    },
  },
  { schemas: { User: user } },
);

for (const [name, host] of HOSTS) {
  describe(`readOnly and writeOnly members on ${name}`, () => {
    const open = (t: TestContext, requester: FakeRequester): Promise<Hosted> =>
      host(t, { requester, api, replies: { check: 'reject' } });
    const stored = { 'post.users': () => ({ id: 7, name: 'eva' }) };
    const post = (url: string, body: string, type = 'application/json'): Promise<Response> =>
      fetch(`${url}/users`, { method: 'POST', body, headers: { 'content-type': type } });

    it(`readOnly members on ${name}: may be absent from requests, and get no default`, async (t) => {
      const requester = new FakeRequester(stored);
      const { url } = await open(t, requester);
      for (const [body, type] of [
        ['{"name":"eva","password":"x","home":{}}', 'application/json'],
        ['name=eva&password=x&home={}', FORM_TYPE],
      ] as const) {
        assert.equal((await post(url, body, type)).status, 200);
        assert.deepEqual(requester.data, { name: 'eva', password: 'x', lang: 'en', home: { city: 'x' } });
      }
    });

    it(`readOnly members on ${name}: reach the worker if they are sent`, async (t) => {
      const requester = new FakeRequester(stored);
      const { url } = await open(t, requester);
      assert.equal((await post(url, '{"id":7,"name":"eva","password":"x","lang":"de"}')).status, 200);
      assert.deepEqual(requester.data, { id: 7, name: 'eva', password: 'x', lang: 'de' });
      const { errors } = await problemOf(await post(url, '{"id":"x","name":"eva","password":"x"}'));
      assert.deepEqual(
        errors?.map(({ pointer }) => pointer),
        ['/body/id'],
      );
    });

    it(`readOnly and writeOnly members on ${name}: are required in their own direction`, async (t) => {
      const { url } = await open(
        t,
        new FakeRequester({ 'post.users': () => ({ name: 'eva', password: 'x' }) }),
      );
      const { errors } = await problemOf(await post(url, '{"id":7,"name":"eva"}'));
      assert.deepEqual(errors, [{ pointer: '/body/password', detail: 'is required' }]);
      assert.equal((await problemOf(await post(url, '{"name":"eva","password":"x"}'))).code, 'BAD_REPLY');
    });
  });
}
