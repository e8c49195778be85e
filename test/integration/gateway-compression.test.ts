/** What compression changes, the entity tags of compressed replies, and replies without content. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { request } from 'undici';
import type { GatewaySettingsInput } from '../../src/gateway/index.ts';
import { apiOf, jsonBody, parameter } from '../helpers/gateway/api.ts';
import { HOSTS } from '../helpers/gateway/hosts.ts';
import { exchangeRaw, parseRaw } from '../helpers/gateway/raw-http.ts';
import { FakeRequester, replyOf } from '../helpers/gateway/requester.ts';

const text = { type: 'string' };
const conditions = ['If-Match', 'If-None-Match', 'If-Range'].map((name) => parameter(name, 'header', text));
const api = apiOf({
  '/x': {
    get: { parameters: [parameter('If-Range', 'header', text)] },
    put: { parameters: conditions, ...jsonBody({ type: 'object' }) },
  },
});
const data = { text: 'lorem ipsum '.repeat(1000) };

for (const [name, host] of HOSTS) {
  const open = async (
    t: TestContext,
    headers: Record<string, string>,
    settings: GatewaySettingsInput = {},
  ) => {
    const requester = new FakeRequester({ 'get.x': () => replyOf(data, { headers }) });
    const hosted = await host(t, { requester, api, ...settings });
    const get = async (more: Record<string, string> = {}) => {
      const {
        statusCode,
        headers: got,
        body,
      } = await request(`${hosted.url}/x`, {
        headers: { 'accept-encoding': 'br', ...more },
      });
      return { status: statusCode, headers: got, body: Buffer.from(await body.arrayBuffer()) };
    };
    /** Returns the conditions of a PUT as the worker receives them. */
    const put = async (given: Record<string, string>): Promise<unknown> => {
      const sent = { 'content-type': 'application/json', ...given };
      const { statusCode, body } = await request(`${hosted.url}/x`, {
        method: 'PUT',
        headers: sent,
        body: '{}',
      });
      await body.dump();
      assert.equal(statusCode, 200);
      return requester.data;
    };
    return { ...hosted, requester, get, put };
  };

  describe(`compression on ${name}: entity tags`, () => {
    it(`compression on ${name}: the worker gets its own tag for that of a compressed reply`, async (t) => {
      const { get, put } = await open(t, { etag: '"v1"' });
      const { headers } = await get();
      assert.equal(headers['etag'], '"v1-br"');
      const tag = String(headers['etag']);
      assert.deepEqual(await put({ 'if-match': tag }), { 'If-Match': '"v1"' });
      assert.deepEqual(await put({ 'if-none-match': tag }), { 'If-None-Match': '"v1"' });
      assert.deepEqual(await put({ 'if-match': '"v0-gzip", W/"v1-br","v2"' }), {
        'If-Match': '"v0", W/"v1","v2"',
      });
      assert.deepEqual(await put({ 'if-match': '*' }), { 'If-Match': '*' });
    });

    for (const own of ['"logo-br"', '"logo-gzip"', 'W/"logo-br"', '"a-identity"', '"-br-br"']) {
      it(`compression on ${name}: the worker gets its own ${own}, compressed or not`, async (t) => {
        const { get, put } = await open(t, { etag: own });
        for (const coding of ['br', 'identity']) {
          const { headers } = await get({ 'accept-encoding': coding });
          const tag = String(headers['etag']);
          assert.deepEqual(await put({ 'if-match': tag }), { 'If-Match': own });
          assert.equal((await get({ 'accept-encoding': coding, 'if-none-match': tag })).status, 304);
        }
      });
    }

    it(`compression on ${name}: a range of plain bytes does not continue compressed ones`, async (t) => {
      const { get, requester } = await open(t, { etag: '"v1"' });
      await get({ 'if-range': '"v1-br"' });
      assert.deepEqual(requester.data, { 'If-Range': '"v1-br"' });
      await get({ 'if-range': '"v1"' });
      assert.deepEqual(requester.data, { 'If-Range': '"v1"' });
    });

    it(`compression on ${name}: a 304 names the representation that the client has`, async (t) => {
      const { get } = await open(t, { etag: '"v1"' });
      for (const tag of ['"v1-br"', '"v1-gzip"', '"v1"']) {
        const { status, headers } = await get({ 'if-none-match': `"v0", ${tag}` });
        assert.deepEqual([status, headers['etag'], headers['content-encoding']], [304, tag, undefined]);
        assert.match(String(headers['vary']), /Accept-Encoding/);
      }
    });

    it(`compression on ${name}: tags of uncompressed replies are unchanged`, async (t) => {
      const { get, put } = await open(t, { etag: '"v1-br"' }, { compression: false });
      assert.equal((await get()).headers['etag'], '"v1-br"');
      assert.deepEqual(await put({ 'if-match': '"v1-br"' }), { 'If-Match': '"v1-br"' });
      assert.equal((await get({ 'if-none-match': '"v1-br"' })).status, 304);
    });
  });

  describe(`compression on ${name}: unchanged bytes`, () => {
    const bytes = Buffer.from(JSON.stringify(data));
    const digest = `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
    const md5 = createHash('md5').update(bytes).digest('base64');
    const cases: Record<string, string>[] = [
      { 'content-range': `bytes 0-${bytes.length - 1}/99999` },
      { 'cache-control': 'public, no-transform' },
      { 'Cache-Control': 'No-Transform' },
      { 'content-digest': digest },
      { 'repr-digest': digest },
      { digest: `SHA-256=${digest.slice(9, -1)}` },
      { 'content-md5': md5 },
      { 'content-encoding': 'x-own' },
    ];
    for (const headers of cases) {
      it(`compression on ${name}: leaves bytes unchanged with ${JSON.stringify(headers).slice(0, 60)}`, async (t) => {
        const { get } = await open(t, headers);
        const reply = await get();
        assert.equal(reply.headers['content-encoding'], headers['content-encoding']);
        assert.deepEqual(reply.body, bytes);
      });
    }

    it(`compression on ${name}: leaves partial content unchanged, and what the client wants unchanged`, async (t) => {
      const requester = new FakeRequester({ 'get.x': () => replyOf(data, { status: 206 }) });
      const { url } = await host(t, { requester, api });
      const part = await request(`${url}/x`, { headers: { 'accept-encoding': 'br' } });
      assert.deepEqual(Buffer.from(await part.body.arrayBuffer()), bytes);
      const { get } = await open(t, {});
      assert.deepEqual((await get({ 'cache-control': 'no-transform' })).body, bytes);
      assert.equal((await get({ 'cache-control': 'no-cache' })).headers['content-encoding'], 'br');
    });
  });

  describe(`replies without content on ${name}`, () => {
    for (const [status, length] of [
      [204, undefined],
      [205, '0'],
      [304, undefined],
    ] as const) {
      it(`replies without content on ${name}: a ${status} of a worker that sent content`, async (t) => {
        const requester = new FakeRequester({ 'get.x': () => replyOf(data, { status }) });
        const { port, url } = await host(t, { requester, api });
        const { pathname } = new URL(`${url}/x`);
        const ask = `GET ${pathname} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n`;
        const response = parseRaw(await exchangeRaw(port, ask));
        assert.deepEqual([response.status, response.body], [status, '']);
        assert.equal(response.headers.get('content-length'), length);
        assert.equal(response.headers.get('content-type'), undefined);
      });
    }
  });
}
