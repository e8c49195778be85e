/** Hooks of the gateway: what they see, change and answer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request as send } from 'undici';
import { failure } from '../../src/core/messages/message.ts';
import { createGateway, type GatewayHooks, type HookRequest } from '../../src/gateway/index.ts';
import { ReplyError, reply } from '../../src/index.ts';
import { HOSTS, ownServer, problemOf, REQUEST_TIMEOUT } from '../helpers/gateway/hosts.ts';
import { replyOf } from '../helpers/gateway/requester.ts';
import { KEY, startHooked } from './hooks-api.ts';

for (const [name, host] of HOSTS) {
  describe(`onRequest on ${name}`, () => {
    it(`onRequest on ${name}: sees the request with its operation, before authentication`, async (t) => {
      const seen: unknown[] = [];
      const { url } = await startHooked(t, host, {
        onRequest: ({ method, path, query, headers, operation, caller, requestId, client }) => {
          const { eventName, path: template, method: declared, operationId } = operation ?? {};
          seen.push([method, new URL(url).origin + path, query.get('a'), headers['x-a'], caller, client]);
          seen.push([requestId, declared, template, eventName, operationId]);
        },
      });
      await fetch(`${url}/things/7?a=1`, { headers: { 'x-a': '2', 'request-id': 'mine' } });
      assert.equal((await fetch(`${url}/secret`, { headers: { 'request-id': 'mine' } })).status, 401);
      assert.deepEqual(seen, [
        ['GET', `${url}/things/7`, '1', '2', undefined, '127.0.0.1'],
        ['mine', 'GET', '/things/{id}', 'get.things.id', 'getThing'],
        ['GET', `${url}/secret`, null, undefined, undefined, '127.0.0.1'],
        ['mine', 'GET', '/secret', 'get.secret', 'get.secret'],
      ]);
    });

    it(`onRequest on ${name}: may answer, change headers and set the caller`, async (t) => {
      const { url, requester } = await startHooked(t, host, {
        onRequest: async (request) => {
          request.headers['x-tenant'] ??= 'default';
          if (request.headers['x-key'] === 'of-a-session') request.headers['x-key'] = KEY;
          request.caller = { id: 'from-hook' };
          return request.query.has('answer') ? reply(202, { by: 'hook' }, { 'X-Hook': 'yes' }) : undefined;
        },
      });
      const answered = await fetch(`${url}/things/1?answer`);
      assert.deepEqual(
        [answered.status, await answered.json(), answered.headers.get('x-hook')],
        [202, { by: 'hook' }, 'yes'],
      );
      assert.equal(requester.requests.length, 0);
      assert.deepEqual(await (await fetch(`${url}/tenants`)).json(), { 'X-Tenant': 'default' });
      assert.deepEqual(requester.requests[0]?.extras?.caller, { id: 'from-hook' });
      assert.equal((await fetch(`${url}/secret`, { headers: { 'x-key': 'of-a-session' } })).status, 200);
      assert.equal(requester.requests[1]?.extras?.caller?.id, 'eva');
    });
  });

  describe(`onEvent on ${name}`, () => {
    it(`onEvent on ${name}: may change data, name, timeout, idempotency and caller`, async (t) => {
      const { post, requester } = await startHooked(t, host, {
        onEvent: (event, request) => {
          assert.deepEqual(
            [event.name, event.data, event.timeout],
            ['post.things', { n: 1 }, REQUEST_TIMEOUT],
          );
          (event.data as Record<string, unknown>)['by'] = 'hook';
          event.name = 'other.event';
          event.timeout = 700;
          event.idempotent = true;
          request.caller = { id: 'eva', scopes: ['all'] };
        },
      });
      assert.deepEqual(await (await post('/things', '{"n":1}')).json(), { n: 1, by: 'hook' });
      const [{ eventName, timeout, idempotent, extras } = {} as never] = requester.requests;
      assert.deepEqual([eventName, timeout, idempotent], ['other.event', 700, true]);
      assert.deepEqual(extras?.caller, { id: 'eva', scopes: ['all'] });
    });

    it(`onEvent on ${name}: data that it only reads keeps its bytes; other data replaces them`, async (t) => {
      const { post, requester } = await startHooked(t, host, {
        onEvent: (event) => {
          if ((event.data as { n?: number }).n === 5) event.data = [1, 'two'];
        },
      });
      const text = '{ "n": 12345678901234567890, "x": 1.0 }';
      await post('/things', text);
      assert.equal(requester.text, text);
      await post('/things', '{"n":5}');
      assert.equal(requester.text, '[1,"two"]');
    });

    it(`onEvent on ${name}: runs after validation, and may answer`, async (t) => {
      let runs = 0;
      const { post, requester } = await startHooked(t, host, {
        onEvent: ({ name: event }) => {
          runs += 1;
          return { data: { event } };
        },
      });
      assert.equal((await problemOf(await post('/things', '{"n":"x"}'))).code, 'INVALID_REQUEST');
      assert.equal(runs, 0);
      assert.deepEqual(await (await post('/things', '{}')).json(), { event: 'post.things' });
      assert.equal(requester.requests.length, 0);
    });
  });

  describe(`onReply on ${name}`, () => {
    it(`onReply on ${name}: may change status, headers and data of replies and answers`, async (t) => {
      const from: boolean[] = [];
      const { url } = await startHooked(
        t,
        host,
        {
          onEvent: (event) => (event.name === 'get.tenants' ? reply(200, [1], { 'x-b': 'hook' }) : undefined),
          onReply: (given) => {
            from.push(given.fromWorker);
            given.status = 203;
            given.headers['x-a'] = [`${String(given.headers['x-b'])}`, 'more'];
            delete given.headers['x-b'];
            given.data = { was: given.data };
          },
        },
        { handlers: { 'get.typed': () => replyOf({ id: 1 }, { headers: { 'X-B': 'worker' } }) } },
      );
      const worker = await fetch(`${url}/typed`);
      assert.deepEqual([worker.status, await worker.json()], [203, { was: { id: 1 } }]);
      assert.deepEqual([worker.headers.get('x-a'), worker.headers.get('x-b')], ['worker, more', null]);
      const hook = await fetch(`${url}/tenants`, { headers: { 'x-tenant': 'a' } });
      assert.deepEqual([await hook.json(), hook.headers.get('x-a')], [{ was: [1] }, 'hook, more']);
      assert.deepEqual(from, [true, false]);
    });

    it(`onReply on ${name}: passes bytes and digits through, and may replace bytes`, async (t) => {
      const bytes = Buffer.from([0, 1, 2, 255]);
      const { url } = await startHooked(
        t,
        host,
        {
          onReply: (given) => {
            if (given.headers['content-type'] === 'image/png') assert.ok(given.data instanceof Buffer);
            if (given.status === 206) given.data = Buffer.from('new');
          },
        },
        {
          handlers: {
            'get.typed': () => replyOf(bytes, { contentType: 'image/png' }),
            'get.short': () => replyOf(bytes, { status: 206, contentType: 'image/png' }),
            'get.things.id': () => replyOf(Buffer.from('{"id": 12345678901234567890}')),
          },
        },
      );
      const plain = await fetch(`${url}/typed`);
      assert.deepEqual(
        [plain.headers.get('content-type'), Buffer.from(await plain.arrayBuffer())],
        ['image/png', bytes],
      );
      const replaced = await fetch(`${url}/short`);
      assert.deepEqual([replaced.headers.get('content-type'), await replaced.text()], ['image/png', 'new']);
      assert.equal(await (await fetch(`${url}/things/1`)).text(), '{"id": 12345678901234567890}');
    });

    it(`onReply on ${name}: its changes count for entity tags, 304 and HEAD`, async (t) => {
      let version = 1;
      const { url } = await startHooked(t, host, {
        onReply: (given) => {
          given.data = { version };
        },
      });
      const first = await fetch(`${url}/things/1`);
      const etag = first.headers.get('etag') ?? '';
      await first.arrayBuffer();
      const again = await fetch(`${url}/things/1`, { headers: { 'if-none-match': etag } });
      assert.deepEqual([again.status, await again.text()], [304, '']);
      version = 2_000_000;
      const changed = await fetch(`${url}/things/1`, { headers: { 'if-none-match': etag } });
      assert.deepEqual([changed.status, await changed.json()], [200, { version }]);
      const head = await send(`${url}/things/1`, { method: 'HEAD' });
      assert.deepEqual([head.headers['content-length'], await head.body.text()], ['19', '']);
      assert.equal(head.headers['etag'], changed.headers.get('etag'));
    });

    it(`onReply on ${name}: the check of replies sees what the client receives`, async (t) => {
      const { url } = await startHooked(
        t,
        host,
        { onReply: (given) => void (given.data = { id: 'no-number' }) },
        { handlers: { 'get.typed': () => ({ id: 1 }) }, replies: { check: 'reject' } },
      );
      assert.equal((await problemOf(await fetch(`${url}/typed`))).code, 'BAD_REPLY');
    });
  });

  describe(`onProblem on ${name}`, () => {
    it(`onProblem on ${name}: sees failures of every kind, with the request`, async (t) => {
      const seen: unknown[] = [];
      const { url, post } = await startHooked(
        t,
        host,
        {
          onProblem: ({ code, status }, { method, operation }) =>
            void seen.push([code, status, method, operation?.eventName]),
        },
        {
          handlers: {
            'get.typed': () => failure('NO_WORKER', 'none'),
            'get.short': () => replyOf(1, { status: 99 }),
          },
          rateLimits: [{ name: 'few', limit: 1, events: ['get.tenants'] }],
        },
      );
      const tenant = { headers: { 'x-tenant': 'a' } };
      for (const path of ['/nothing', '/secret', '/typed', '/short', '/tenants']) await fetch(url + path);
      await fetch(`${url}/tenants`, tenant);
      await fetch(`${url}/things`, { method: 'DELETE' });
      await fetch(`${url}/things/1`, { headers: { 'if-match': '"other"' } });
      await fetch(`${url}/typed`, { headers: { accept: 'text/csv' } });
      await post('/things', '{', 'POST', { 'content-type': 'text/csv' });
      assert.deepEqual(seen, [
        ...(name === 'own server'
          ? [['NOT_FOUND', 404, 'GET', undefined]]
          : [['NOT_FOUND', 404, 'GET', undefined]]),
        ['UNAUTHENTICATED', 401, 'GET', 'get.secret'],
        ['NO_WORKER', 503, 'GET', 'get.typed'],
        ['BAD_REPLY', 502, 'GET', 'get.short'],
        ['INVALID_REQUEST', 400, 'GET', 'get.tenants'],
        ['RATE_LIMITED', 429, 'GET', 'get.tenants'],
        ['METHOD_NOT_ALLOWED', 405, 'DELETE', undefined],
        ['PRECONDITION_FAILED', 412, 'GET', 'get.things.id'],
        ['NOT_ACCEPTABLE', 406, 'GET', 'get.typed'],
        ['UNSUPPORTED_MEDIA_TYPE', 415, 'POST', 'post.things'],
      ]);
    });

    it(`onProblem on ${name}: may change all of the problem; headers of the worker stay`, async (t) => {
      const { url } = await startHooked(
        t,
        host,
        {
          onProblem: async (problem, { requestId }) => {
            Object.assign(problem, { code: 'MINE', status: 418, title: 'T', detail: `of ${requestId}` });
            problem.details = { before: problem.details };
            problem.headers['x-a'] = ['1', '2'];
          },
        },
        {
          handlers: {
            'get.typed': () => ({
              ...replyOf(
                { error: { code: 'TAKEN', message: 'no', details: 7 } },
                { status: 409, headers: { 'x-w': 'w' } },
              ),
              code: 'TAKEN',
            }),
          },
        },
      );
      for (const [path, details, header] of [
        ['/typed', { before: 7 }, 'w'],
        ['/nothing', {}, null],
      ] as const) {
        const response = await fetch(url + path, { headers: { 'request-id': 'mine' } });
        const problem = await problemOf(response);
        assert.deepEqual(
          [problem.status, problem.code, problem.title, problem.detail, problem.details],
          [418, 'MINE', 'T', 'of mine', details],
        );
        assert.equal(problem.type, 'urn:zeromq-gateway:error:MINE');
        assert.deepEqual([response.headers.get('x-a'), response.headers.get('x-w')], ['1, 2', header]);
      }
    });

    it(`onProblem on ${name}: may answer, for operations and for unknown paths`, async (t) => {
      const { url, lines } = await startHooked(
        t,
        host,
        {
          onProblem: ({ status }) =>
            reply(status === 404 ? 404 : 200, `<p>${status}`, { 'content-type': 'text/html' }),
          onReply: (given) => void (given.headers['x-seen'] = 'yes'),
        },
        {
          handlers: { 'get.typed': () => failure('NO_WORKER', 'none') },
          replies: { check: 'off' },
          accessLog: true,
        },
      );
      const stale = await fetch(`${url}/typed`);
      assert.deepEqual(
        [stale.status, await stale.text(), stale.headers.get('x-seen')],
        [200, '<p>503', 'yes'],
      );
      assert.equal(stale.headers.get('content-type'), 'text/html');
      const page = await fetch(`${url}/nothing`);
      assert.deepEqual(
        [page.status, await page.text(), page.headers.get('content-type')],
        [404, '<p>404', 'text/html'],
      );
      assert.ok(page.headers.get('request-id'));
      assert.equal(lines.find(({ route }) => route === '/typed')?.['status'], 200);
    });

    it(`onProblem on ${name}: a code that it changes is the one in the access log`, async (t) => {
      const { url, lines } = await startHooked(
        t,
        host,
        { onProblem: (problem) => void (problem.code = 'MINE') },
        { accessLog: true },
      );
      await (await fetch(`${url}/secret`)).arrayBuffer();
      const codes = (): unknown[] => lines.filter(({ path }) => path !== undefined).map(({ code }) => code);
      assert.deepEqual(codes(), ['MINE']);
    });
  });
}

describe('hooks in a list', () => {
  it('run from the outermost to the innermost object and back; the first answer counts', async (t) => {
    const order: string[] = [];
    const layer = (name: string): GatewayHooks => ({
      onRequest: ({ query }) => {
        order.push(`request ${name}`);
        return query.get('at') === name ? { data: name } : undefined;
      },
      onEvent: () => void order.push(`event ${name}`),
      onReply: () => void order.push(`reply ${name}`),
      onProblem: () => void order.push(`problem ${name}`),
    });
    const { url } = await startHooked(t, ownServer, [layer('a'), layer('b')]);
    const orderOf = async (path: string): Promise<string[]> => {
      await (await fetch(url + path)).arrayBuffer();
      return order.splice(0);
    };
    assert.deepEqual(await orderOf('/short'), [
      'request a',
      'request b',
      'event a',
      'event b',
      'reply b',
      'reply a',
    ]);
    assert.deepEqual(await orderOf('/things/1?at=a'), ['request a', 'reply b', 'reply a']);
    assert.deepEqual(await orderOf('/tenants'), ['request a', 'request b', 'problem b', 'problem a']);
  });

  it('share the state of a request, and call methods on their object', async (t) => {
    class Counter implements GatewayHooks {
      count = 0;

      onRequest({ state }: HookRequest): void {
        this.count += 1;
        state['count'] = this.count;
      }

      onReply(given: { data: unknown }, { state }: HookRequest): void {
        given.data = { ...state };
      }
    }
    const { url } = await startHooked(t, ownServer, new Counter());
    assert.deepEqual(await (await fetch(`${url}/short`)).json(), { count: 1 });
    assert.deepEqual(await (await fetch(`${url}/short`)).json(), { count: 2 });
  });

  it('the GET of preconditions passes through them as a request of its own', async (t) => {
    const events: unknown[] = [];
    const { url, post, requester } = await startHooked(t, ownServer, {
      onRequest: ({ state }) => void (state['tenant'] = 'a'),
      onEvent: (event, { state, operation }) => {
        events.push([event.name, operation?.method]);
        (event.data as Record<string, unknown>)['tenant'] = state['tenant'];
      },
      onReply: (given) => void (given.data = { shown: given.data }),
    });
    const response = await fetch(`${url}/things/1`);
    assert.deepEqual(await response.json(), { shown: { id: '1', tenant: 'a' } });
    const etag = response.headers.get('etag') ?? '';
    assert.equal((await post('/things/1', '{}', 'PUT', { 'if-match': etag })).status, 200);
    assert.equal((await post('/things/1', '{}', 'PUT', { 'if-match': '"other"' })).status, 412);
    assert.deepEqual(events.slice(1), [
      ['get.things.id', 'GET'],
      ['put.things.id', 'PUT'],
      ['get.things.id', 'GET'],
    ]);
    assert.equal(requester.requests.length, 4);
  });

  it('a gateway without any has none, and rejects what is not a hook', () => {
    const options = { requester: {} as never, api: { snapshot: () => ({}) } as never };
    for (const [hooks, message] of [
      [
        { onRespond: () => undefined },
        /^hooks\.onRespond is not a hook; hooks are onRequest, onEvent, onReply, onProblem$/,
      ],
      [[{}, { onReply: 'x' }], /^hooks\[1\]\.onReply must be a function, got string$/],
      [[null], /^hooks\[0\] must be an object with onRequest, onEvent, onReply, onProblem, got null$/],
      [() => undefined, /^hooks must be an object with onRequest, .*, got function$/],
    ] as [GatewayHooks, RegExp][]) {
      assert.throws(() => createGateway({ ...options, hooks }), { name: 'ZeroMQConfigError', message });
    }
  });

  it('errors for the caller are thrown as ReplyError by any of them', async (t) => {
    const refuse = (): never => {
      throw new ReplyError(402, 'PAY', 'pay first', { details: { price: 5 }, headers: { 'x-price': '5' } });
    };
    for (const hooks of [{ onRequest: refuse }, { onEvent: async () => refuse() }, { onReply: refuse }]) {
      const { url, failures } = await startHooked(t, ownServer, hooks);
      const response = await fetch(`${url}/short`);
      const { status, code, detail, details, dispatched } = await problemOf(response);
      assert.deepEqual([status, code, detail, details], [402, 'PAY', 'pay first', { price: 5 }]);
      assert.equal(dispatched, 'onReply' in hooks);
      assert.equal(response.headers.get('x-price'), '5');
      assert.deepEqual(failures, []);
    }
  });
});
