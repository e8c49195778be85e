import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import express from 'express';
import { createGateway } from '../../src/gateway/index.ts';
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';
import { closeServer, HOSTS, type Hosted, listenOnFreePort, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester, replyOf } from '../helpers/gateway/requester.ts';

const BIG = '9007199254740993';
const range = { type: 'object', properties: { n: { type: 'integer', maximum: 9007199254740992 } } };
const reply = { 200: { description: 'ok', content: { 'application/json': { schema: range } } } };
const api = apiOf({
  '/range': { post: jsonBody(range), get: { responses: reply } },
  '/sticky/{id}': {
    get: { parameters: [parameter('id', 'path', { type: 'integer' })], 'x-sticky-key': 'id' },
  },
});
const JSON_TYPE = { 'content-type': 'application/json' };

for (const [name, host] of HOSTS) {
  describe(`numbers beyond doubles on ${name}`, () => {
    const open = (t: TestContext, requester: FakeRequester): Promise<Hosted> =>
      host(t, { requester, api, replies: { check: 'reject' } });

    it(`numbers beyond doubles on ${name}: are validated by all their digits`, async (t) => {
      const requester = new FakeRequester();
      const { url } = await open(t, requester);
      const post = (n: string): Promise<Response> =>
        fetch(`${url}/range`, { method: 'POST', headers: JSON_TYPE, body: `{"n":${n}}` });
      assert.equal((await post('9007199254740992')).status, 200);
      assert.equal(requester.text, '{"n":9007199254740992}');
      const { errors } = await problemOf(await post(BIG));
      assert.deepEqual(errors, [{ pointer: '/body/n', detail: 'must be at most 9007199254740992' }]);
    });

    it(`numbers beyond doubles on ${name}: are validated by all their digits in replies`, async (t) => {
      for (const [n, status] of [
        ['9007199254740992', 200],
        [BIG, 502],
      ] as const) {
        const handlers = { 'get.range': () => replyOf(Buffer.from(`{"n":${n}}`)) };
        const { url } = await open(t, new FakeRequester(handlers));
        assert.equal((await fetch(`${url}/range`)).status, status);
      }
    });

    it(`numbers beyond doubles on ${name}: keep their digits in an affinity key`, async (t) => {
      const requester = new FakeRequester();
      const { url } = await open(t, requester);
      await fetch(`${url}/sticky/${BIG}`);
      assert.equal(requester.requests[0]?.extras?.key, BIG);
    });

    it(`numbers beyond doubles on ${name}: keep their digits in the details of a worker's error`, async (t) => {
      const body = `{"error":{"code":"LOCKED","message":"no","details":{"by":${BIG},"at":1.0}}}`;
      const handlers = {
        'get.range': () => ({ ...replyOf(Buffer.from(body), { status: 409 }), code: 'LOCKED' }),
      };
      const { url } = await open(t, new FakeRequester(handlers));
      const text = await (await fetch(`${url}/range`)).text();
      assert.match(text, /"details":\{"by":9007199254740993,"at":1\.0\}/);
    });
  });
}

it('numbers beyond doubles: bigints of a body that another middleware has read keep their digits', async (t) => {
  const requester = new FakeRequester();
  const gateway = createGateway({ requester, api });
  t.after(() => gateway.close({ deadline: 0 }));
  const app = express();
  app.use(express.text({ type: 'application/json' }), (req, _res, next) => {
    req.body = { n: -BigInt(BIG) };
    next();
  });
  app.use(gateway.middleware);
  const server = createServer(app);
  t.after(() => closeServer(server));
  const port = await listenOnFreePort(server);
  await fetch(`http://127.0.0.1:${port}/range`, { method: 'POST', headers: JSON_TYPE, body: '{}' });
  assert.equal(requester.text, `{"n":-${BIG}}`);
});
