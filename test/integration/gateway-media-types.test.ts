import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS, type Hosted, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester, replyOf } from '../helpers/gateway/requester.ts';

const named = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
const old = { type: 'object', required: ['title'] };
const takes = (content: Record<string, object>): object => ({
  requestBody: {
    content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
  },
});
const gives = (content: Record<string, object>): object => ({
  responses: {
    200: {
      description: 'ok',
      content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
    },
  },
});
const VENDOR = 'application/vnd.acme+json';
const api = apiOf({
  '/json': { post: { ...takes({ 'application/json; charset=utf-8': named }) } },
  '/vendor': { post: { ...takes({ [`${VENDOR};version=2`]: named, [`${VENDOR};version=1`]: old }) } },
  '/form': { post: { ...takes({ 'application/x-www-form-urlencoded;charset=UTF-8': named }) } },
  '/reply': { get: { ...gives({ [`${VENDOR}; version=2`]: named, [`${VENDOR};version=1`]: old }) } },
});

for (const [name, host] of HOSTS) {
  describe(`media types with parameters on ${name}`, () => {
    const open = (t: TestContext, requester: FakeRequester): Promise<Hosted> =>
      host(t, { requester, api, replies: { check: 'reject' } });
    const requests: [path: string, type: string, body: string, status: number][] = [
      ['/json', 'application/json; charset=utf-8', '{"name":"x"}', 200],
      ['/json', 'application/json', '{"name":"x"}', 200],
      ['/json', 'application/json; charset="UTF-8"', '{"name":5}', 400],
      ['/json', 'application/json; charset=latin1', '{"name":"x"}', 415],
      ['/vendor', `${VENDOR};version=2`, '{"name":"x"}', 200],
      ['/vendor', `${VENDOR}; version="1"; charset=utf-8`, '{"title":"x"}', 200],
      ['/vendor', `${VENDOR};version=1`, '{"name":"x"}', 400],
      ['/vendor', `${VENDOR};version=3`, '{"name":"x"}', 415],
      ['/vendor', VENDOR, '{"name":"x"}', 200],
      ['/form', 'application/x-www-form-urlencoded; charset=UTF-8', 'name=x', 200],
      ['/form', 'application/x-www-form-urlencoded', 'name=x', 200],
    ];
    for (const [path, type, body, status] of requests) {
      it(`media type ${type} on ${name}: ${status} for ${body} at ${path}`, async (t) => {
        const requester = new FakeRequester();
        const { url } = await open(t, requester);
        const response = await fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } });
        assert.equal(response.status, status);
        assert.equal(requester.requests.length, status === 200 ? 1 : 0);
      });
    }

    it(`media types on ${name}: replies without a type get that of the document, whose schema applies`, async (t) => {
      const replies: [data: object, contentType: string, type: string | undefined][] = [
        [{ name: 'x' }, '', `${VENDOR}; version=2`],
        [{ title: 'x' }, `${VENDOR};version=1`, `${VENDOR};version=1`],
        [{ title: 'x' }, `${VENDOR};version=2`, undefined],
      ];
      for (const [data, contentType, type] of replies) {
        const { url } = await open(
          t,
          new FakeRequester({ 'get.reply': () => replyOf(data, { contentType }) }),
        );
        const response = await fetch(`${url}/reply`, { headers: { accept: `${VENDOR}, text/x;a="b,c"` } });
        if (type === undefined) assert.equal((await problemOf(response)).code, 'BAD_REPLY');
        else assert.equal(response.headers.get('content-type'), type);
      }
    });
  });
}
