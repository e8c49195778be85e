/**
 * What a gateway reports about each HTTP request: the line of its access log, and the diagnostics
 * channel.
 */
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { diagnostics, type HttpAnswered } from '../../src/core/observability/diagnostics.ts';
import { SILENT } from '../../src/gateway/common/api-source.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { HOSTS, type Host, ownServer } from '../helpers/gateway/hosts.ts';
import { FakeRequester, SILENCE } from '../helpers/gateway/requester.ts';
import { published } from '../helpers/published.ts';

const KEY = 'a-very-secret-key';
const auth = { schemes: { key: { type: 'apiKey', keys: [{ id: 'eva', key: KEY }] } as const } };
const securitySchemes = { key: { type: 'apiKey', in: 'query', name: 'key' } };

interface Line extends Record<string, unknown> {
  route: string;
}

async function started(t: TestContext, host: Host, accessLog: boolean) {
  const api = apiOf(
    {
      '/things/{id}': {
        get: {
          'x-event-name': 'thing.get',
          security: [{ key: [] }],
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        },
      },
      '/slow': { get: { 'x-event-name': 'slow' } },
    },
    { securitySchemes },
  );
  const lines: Line[] = [];
  const logger = { ...SILENT, info: (fields: object) => lines.push(fields as Line) };
  const requester = new FakeRequester();
  const hosted = await host(t, { requester, api, auth, accessLog, logger });
  return { ...hosted, lines, requester };
}

/** Sends a request and waits until it is reported. */
async function ask(url: string, init: RequestInit = {}): Promise<HttpAnswered> {
  const [answered, response] = await Promise.all([published(diagnostics.httpAnswered), fetch(url, init)]);
  await response.arrayBuffer();
  return answered;
}

for (const [name, host] of HOSTS) {
  describe(`access log on ${name}`, () => {
    it(`access log on ${name}: has one line per request, with its id and without secrets`, async (t) => {
      const { url, lines } = await started(t, host, true);
      const prefix = new URL(url).pathname.replace(/\/$/, '');
      await ask(`${url}/things/7?key=${KEY}`, { headers: { 'request-id': 'mine-1' } });
      await ask(`${url}/things/no-number?key=${KEY}`);
      await ask(`${url}/things/7?key=wrong-secret-key`);
      await ask(`${url}/nothing?key=${KEY}`);
      await ask(`${url}/things/7`, { method: 'DELETE' });
      await ask(`${url}/livez`);
      const entries = lines.map(({ method, path, route, status, code, event, caller }) => {
        return [method, path, route, status, code, event, caller];
      });
      const none = undefined;
      assert.deepEqual(entries, [
        ['GET', `${prefix}/things/7`, '/things/{id}', 200, none, 'thing.get', 'eva'],
        ['GET', `${prefix}/things/no-number`, '/things/{id}', 400, 'INVALID_REQUEST', 'thing.get', 'eva'],
        ['GET', `${prefix}/things/7`, '/things/{id}', 401, 'UNAUTHENTICATED', 'thing.get', none],
        ['GET', `${prefix}/nothing`, '', 404, 'NOT_FOUND', none, none],
        ['DELETE', `${prefix}/things/7`, '/things/{id}', 405, 'METHOD_NOT_ALLOWED', none, none],
        ['GET', `${prefix}/livez`, '/livez', 200, none, none, none],
      ]);
      assert.equal(lines[0]?.requestId, 'mine-1');
      for (const { requestId, duration, client } of lines) {
        assert.match(String(requestId), /^[\w-]+$/);
        assert.ok(typeof duration === 'number' && duration >= 0);
        assert.equal(client, '127.0.0.1');
      }
      assert.doesNotMatch(JSON.stringify(lines), /secret/);
    });

    it(`access log on ${name}: has a line for a client that disconnects`, async (t) => {
      const { url, lines, requester } = await started(t, host, true);
      const hangUp = new AbortController();
      const answered = published(diagnostics.httpAnswered);
      requester.handlers['slow'] = () => {
        hangUp.abort();
        return SILENCE;
      };
      await assert.rejects(fetch(`${url}/slow`, { signal: hangUp.signal }));
      assert.deepEqual([(await answered).status, (await answered).code], [499, 'CANCELLED']);
      assert.equal(lines.at(-1)?.['status'], 499);
    });
  });
}

describe('without an access log', () => {
  it('without an access log: nothing is logged, and the channel reports the request', async (t) => {
    const { url, lines } = await started(t, ownServer, false);
    const { node, kind, method, route, client } = await ask(`${url}/livez`);
    assert.deepEqual(
      [node, kind, method, route, client],
      ['gateway', 'gateway', 'GET', '/livez', '127.0.0.1'],
    );
    assert.deepEqual(lines, []);
  });
});

describe('malformed HTTP request', () => {
  it('access log: reports malformed HTTP requests, too', async (t) => {
    const { port } = await started(t, ownServer, false);
    const answered = published(diagnostics.httpAnswered);
    const socket = createConnection(port, '127.0.0.1', () => socket.end('garbage\r\n\r\n'));
    t.after(() => socket.destroy());
    const { status, code, method, route, path } = await answered;
    assert.deepEqual([status, code, method, route, path], [400, 'MALFORMED_HTTP', '', '', '']);
  });
});
