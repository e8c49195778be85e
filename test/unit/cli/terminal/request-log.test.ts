/** The lines of requests in `zeromq-gateway dev`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { painter } from '../../../../src/cli/terminal/colours.ts';
import { isShown, logRequests, requestLine } from '../../../../src/cli/terminal/request-log.ts';
import { diagnostics, type HttpAnswered } from '../../../../src/core/observability/diagnostics.ts';

const plain = painter();

function answered(fields: Partial<HttpAnswered>): HttpAnswered {
  return {
    kind: 'gateway',
    node: 'g',
    method: 'GET',
    route: '/shop/{id}',
    path: '/shop/world',
    status: 200,
    code: '',
    detail: '',
    eventName: 'shop.get',
    requestId: 'r1',
    duration: 4.4,
    client: '127.0.0.1',
    caller: '',
    ...fields,
  };
}

test('request log: a success has method, path, status and duration', () => {
  assert.equal(requestLine(answered({}), plain), 'GET /shop/world 200 4 ms');
  assert.equal(requestLine(answered({ duration: 0.3 }), plain), 'GET /shop/world 200 <1 ms');
});

test('request log: a failure has the code, the text and the request id too', () => {
  const failed = answered({ status: 404, code: 'NOT_FOUND', detail: 'world is not registered' });
  assert.equal(
    requestLine(failed, plain),
    'GET /shop/world 404 4 ms NOT_FOUND: world is not registered (event shop.get, request r1)',
  );
  assert.equal(
    requestLine(answered({ status: 499, code: 'CANCELLED' }), plain),
    'GET /shop/world 499 4 ms CANCELLED (event shop.get, request r1)',
  );
});

test('request log: the status has a colour on a terminal', () => {
  const colour = painter(true);
  for (const [status, code] of [
    [200, 32],
    [404, 33],
    [503, 31],
  ] as const) {
    assert.ok(requestLine(answered({ status }), colour)?.includes(`\u001b[${code}m${status}\u001b[39m`));
  }
});

test('request log: pages of the gateway count only if they fail, and icons never', () => {
  assert.equal(isShown(answered({ eventName: '', path: '/docs/' })), false);
  assert.equal(isShown(answered({ eventName: '', path: '/nowhere', status: 404 })), true);
  assert.equal(isShown(answered({ eventName: '', path: '/favicon.ico', status: 404 })), false);
  assert.equal(isShown(answered({})), true);
});

test('request log: control characters of a path are escaped', () => {
  assert.equal(requestLine(answered({ path: '/a\u001b[2J' }), plain), 'GET /a\\x1b[2J 200 4 ms');
});

test('request log: a second has 100 lines at most, and the number of the other requests', () => {
  const lines: string[] = [];
  let now = 5000;
  const stop = logRequests((line) => void lines.push(line), plain, { now: () => now });
  for (let sent = 0; sent < 130; sent += 1)
    diagnostics.httpAnswered.publish(answered({ status: sent < 120 ? 200 : 503 }));
  now = 6001;
  diagnostics.httpAnswered.publish(answered({}));
  stop();
  assert.equal(lines.length, 102);
  assert.deepEqual(lines.slice(100), ['… 30 more requests, 10 of them failed', 'GET /shop/world 200 4 ms']);
});

test('request log: shows pages on demand, and nothing while it is disabled', () => {
  const lines: string[] = [];
  let on = true;
  const stop = logRequests((line) => void lines.push(line), plain, { pages: true, enabled: () => on });
  diagnostics.httpAnswered.publish(answered({ eventName: '', path: '/docs' }));
  on = false;
  diagnostics.httpAnswered.publish(answered({}));
  stop();
  assert.deepEqual(lines, ['GET /docs 200 4 ms']);
});

test('request log: writes lines until it is stopped', () => {
  const lines: string[] = [];
  const stop = logRequests((line) => void lines.push(line), plain);
  diagnostics.httpAnswered.publish(answered({}));
  diagnostics.httpAnswered.publish(answered({ eventName: '' }));
  stop();
  diagnostics.httpAnswered.publish(answered({}));
  assert.deepEqual(lines, ['GET /shop/world 200 4 ms']);
});
