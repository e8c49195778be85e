/** `health` for every role, and the admin listener of `worker` and `server`. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Health } from '../../../src/core/observability/health.ts';
import { ZeroMQClient } from '../../../src/index.ts';
import { endpointIn, startNode, urlIn } from '../../helpers/command.ts';
import { readyHere, routerHere, runHere, startHere } from '../../helpers/command-here.ts';
import { freeEndpoint } from '../../helpers/endpoints.ts';
import { PATIENCE, PATIENT } from '../../helpers/patience.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));
const ADMIN = ['--admin', '127.0.0.1:0'];

const check = (...args: string[]) => runHere('health', ...args);

/** Checks until the result has a reason, which a worker knows after its first attempt to connect. */
async function checkUntil(reason: RegExp, ...args: string[]) {
  for (const end = Date.now() + PATIENCE; ; await sleep(20)) {
    const result = await check(...args);
    if (reason.test(result.stdout + result.stderr) || Date.now() > end) return result;
  }
}

/** The value of a metric without labels, or with these labels. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

/** An address of this machine that is free. */
async function freeAddress(scope: Scope): Promise<string> {
  return (await freeEndpoint(scope, 'tcp')).replace('tcp://', '');
}

describe('health', () => {
  it('of a worker: not ready with the reason, then ready once a router has accepted it', async (t) => {
    const scope = scopeOf(t);
    const [backend, admin] = [await freeEndpoint(scope, 'tcp'), await freeAddress(scope)];
    const worker = startHere(scope, ['worker', ECHO, '--router', backend, '--admin', admin]);
    const waiting = await checkUntil(/connection refused/, '--admin', admin);
    assert.equal(waiting.code, 1);
    assert.match(waiting.stderr, /unavailable \(http:\S+\/readyz\)/);
    assert.ok(
      waiting.stderr.includes(
        `NO_ROUTER: echo.ts: ${backend} has not accepted the worker (connection refused`,
      ),
      waiting.stderr,
    );
    const live = await check('--live', '--to', `http://${admin}`);
    assert.deepEqual([live.code, live.stdout], [0, 'ok']);
    await routerHere(scope, '--backend', backend);
    await worker.waitForLine(/ is ready: .*, admin http:/);
    const ready = await check('--admin', admin);
    assert.deepEqual([ready.code, ready.stdout], [0, 'ok'], ready.stderr);
  });

  it('of a worker: degraded while one of two routers has not accepted it', async (t) => {
    const scope = scopeOf(t);
    const line = await routerHere(scope);
    const missing = await freeEndpoint(scope, 'tcp');
    const routers = ['--router', endpointIn(line, 'backend'), '--router', missing];
    const worker = startHere(scope, ['worker', ECHO, ...routers, ...ADMIN]);
    const ready = await worker.waitForLine(/ is ready: /);
    const { code, stdout } = await checkUntil(/connection refused/, '--to', endpointIn(ready, 'admin'));
    assert.equal(code, 0);
    assert.match(stdout, /^degraded\nNO_ROUTER: echo\.ts: tcp:\S+ has not accepted the worker/);
    assert.ok(stdout.includes(missing), stdout);
  });

  it('of a router, a gateway and a server, over HTTP and over ZeroMQ', async (t) => {
    const scope = scopeOf(t);
    const line = await routerHere(scope, ...ADMIN);
    const frontend = endpointIn(line, 'frontend');
    const gateway = await readyHere(scope, ['gateway', '--router', frontend, '--port', '0']);
    const server = await readyHere(scope, ['server', ECHO, '--bind', 'tcp://127.0.0.1:0', ...ADMIN]);
    const served = / on (tcp:[^\s,]+)/.exec(server)?.[1] ?? '';
    const targets = [
      endpointIn(line, 'admin'),
      frontend,
      urlIn(gateway),
      endpointIn(server, 'admin'),
      served,
    ];
    for (const to of targets) {
      const { code, stdout, stderr } = await check('--to', to);
      assert.deepEqual([code, stdout], [0, 'ok'], `${to}: ${stderr}`);
    }
  });

  it('fails with the reason if nothing listens, and rejects an address that it cannot ask', async (t) => {
    const scope = scopeOf(t);
    const endpoint = await freeEndpoint(scope, 'tcp');
    const zeromq = await check('--to', endpoint, '--timeout', '500');
    assert.equal(zeromq.code, 1);
    assert.match(zeromq.stderr, /NO_ROUTER: .*: connection refused: no process listens there/);
    const http = await check('--to', endpoint.replace('tcp:', 'http:'));
    assert.equal(http.code, 1);
    assert.match(http.stderr, /\/readyz does not answer: /);
    assert.equal((await check('--to', 'ftp://127.0.0.1')).code, 2);
    assert.equal((await check('--admin', 'off')).code, 2);
  });
});

describe('the admin listener of a worker', () => {
  it('has metrics of its requests, its connections and its event loop', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    const index = new URL('../../../dist/index.js', import.meta.url).href;
    writeFileSync(
      path.join(cwd, 'held.mjs'),
      `import { defineWorker } from ${JSON.stringify(index)};
       export default defineWorker({ concurrency: 7, handlers: {
         fine: () => 'fine', broken: () => { throw new Error('broken'); }, held: () => { console.error('a handler holds'); return new Promise(() => {}); } } });`,
    );
    const line = await routerHere(scope);
    const [frontend, backend] = [endpointIn(line, 'frontend'), endpointIn(line, 'backend')];
    const worker = await startNode(
      scope,
      ['worker', 'held.mjs', '--threads', '2', '--router', backend, ...ADMIN],
      { cwd },
    );
    const call = (event: string) => runHere('call', event, '--to', frontend);
    assert.equal((await call('fine')).stdout, '"fine"');
    assert.equal((await call('broken')).code, 1);
    const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
    scope.after(() => client.close());
    const held = client.sendMessage('held', null, { timeout: PATIENCE });
    held.catch(() => undefined); // it ends with the client
    await worker.node.waitForError(/a handler holds/);
    const admin = endpointIn(worker.line, 'admin');
    const text = await (await fetch(`${admin}/metrics`)).text();
    const values = {
      held: valueOf(text, 'zeromq_gateway_in_flight{kind="worker"}'),
      concurrency: valueOf(text, 'zeromq_gateway_concurrency{kind="worker"}'),
      accepted: valueOf(text, 'zeromq_gateway_router_connections{state="accepted"}'),
      rejected: valueOf(text, 'zeromq_gateway_router_connections{state="rejected"}'),
      refusals: valueOf(text, 'zeromq_gateway_refusals_total'),
      fine: valueOf(text, 'zeromq_gateway_requests_total{kind="worker",event="fine",code="OK"}'),
      timed: valueOf(text, 'zeromq_gateway_request_seconds_count{kind="worker",event="fine"}'),
      ready: valueOf(text, 'zeromq_gateway_ready'),
    };
    assert.deepEqual(values, {
      held: 1,
      concurrency: 14,
      accepted: 2,
      rejected: 0,
      refusals: 0,
      fine: 1,
      timed: 1,
      ready: 1,
    });
    assert.match(text, /^zeromq_gateway_requests_total\{kind="worker",event="broken",code="\w+"\} 1$/m);
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
    const health = (await (await fetch(`${admin}/readyz`)).json()) as Health;
    assert.deepEqual(health, { status: 'ok', reasons: [] });
  });
});
