// test:all: 30 s; health.test.ts represents it
/** The admin listener of the commands, in one process and in a cluster. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Health } from '../../../src/core/observability/health.ts';
import { fullName, type MetricName } from '../../../src/metrics/catalogue.ts';
import { endpointIn, FREE_PORTS, startNode, urlIn } from '../../helpers/command.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { valueOf } from '../../helpers/prometheus.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));
const ADMIN = ['--admin', '127.0.0.1:0'];

/** A worker whose handler never ends. */
const STUCK = `
import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
export default defineWorker({ handlers: { stuck: () => { console.error('stuck runs'); return new Promise(() => {}); } } });
`;

const STUCK_DOCUMENT = `
openapi: 3.1.0
info: { title: Stuck, version: 1.0.0 }
paths:
  /stuck: { get: { x-event-name: stuck, responses: { "200": { description: Never } } } }
`;

async function metric(admin: string, name: MetricName, labels: Record<string, string> = {}) {
  return valueOf(await (await fetch(`${admin}/metrics`)).text(), fullName(name), labels);
}

async function readiness(admin: string): Promise<Health & { code: number }> {
  const response = await fetch(`${admin}/readyz`);
  return { ...((await response.json()) as Health), code: response.status };
}

function setLevel(admin: string, level: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${admin}/log-level`, { method: 'PUT', headers, body: JSON.stringify({ level }) });
}

/** A router and an echo worker behind it. */
async function echo(t: TestContext) {
  const scope = scopeOf(t);
  const router = await startNode(scope, ['router', ...FREE_PORTS, ...ADMIN]);
  const backend = endpointIn(router.line, 'backend');
  await startNode(scope, ['worker', ECHO, '--router', backend]);
  return { scope, frontend: endpointIn(router.line, 'frontend'), admin: endpointIn(router.line, 'admin') };
}

describe('admin listener of up', () => {
  it('uses a free port and states it if the default port is in use', async (t) => {
    const scope = scopeOf(t);
    const taken = createServer();
    scope.after(() => taken.close());
    // If another process has the port, it is in use as well.
    taken.once('error', () => undefined).listen(9090, '127.0.0.1');
    await once(taken, 'listening').catch(() => undefined);
    const env = { ZMQ_GATEWAY_DATA: tempFolder(scope) };
    const { line } = await startNode(scope, ['up', '--port', '0', ...FREE_PORTS], { env });
    assert.match(line, /, admin http:\/\/127\.0\.0\.1:\d+ \(port 9090 is in use\)$/);
    const admin = endpointIn(line, 'admin');
    assert.deepEqual(await readiness(admin), { status: 'ok', reasons: [], code: 200 });
    for (let count = 0; count < 3; count += 1) await fetch(`${urlIn(line)}/echo/hello`);
    await fetch(`${urlIn(line)}/nothing`);
    const route = '/echo/{message}';
    assert.equal(await metric(admin, 'http_requests_total', { method: 'GET', route, status: '200' }), 3);
    assert.equal(
      await metric(admin, 'http_requests_total', { method: 'GET', route: 'none', status: '404' }),
      1,
    );
    for (const kind of ['gateway', 'router']) {
      assert.equal(await metric(admin, 'requests_total', { kind, event: 'echo.get', code: 'OK' }), 3);
    }
    assert.equal(await metric(admin, 'workers', { event: 'echo.get', state: 'ready' }), 1);
  });

  it('reports the drain while it drains', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const document = path.join(folder, 'stuck.yaml');
    writeFileSync(path.join(folder, 'stuck.mjs'), STUCK);
    writeFileSync(document, STUCK_DOCUMENT);
    const { node, line } = await startNode(scope, [
      ...['up', '--port', '0', ...FREE_PORTS, ...ADMIN, '--drain', '1500', '--log-level', 'error'],
      ...['--workers', folder, '--openapi', document],
    ]);
    const admin = endpointIn(line, 'admin');
    const asked = fetch(`${urlIn(line)}/stuck`).catch(() => undefined);
    await node.waitForError(/stuck runs/);
    assert.equal(await metric(admin, 'in_flight', { kind: 'router' }), 1);
    node.kill('SIGTERM');
    await node.waitForError(/draining/);
    const { code, reasons } = await readiness(admin);
    assert.equal(code, 503);
    assert.deepEqual([...new Set(reasons.map((reason) => reason.code))], ['SHUTTING_DOWN']);
    await asked;
    assert.equal((await node.exited).code, 0);
  });

  it('rejects invalid addresses and addresses in use', async (t) => {
    const wrong = await runCommandHere(['up', '--admin', '9090']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /admin: "9090" \(from --admin\) is invalid; allowed: HOST:PORT/);
    const scope = scopeOf(t);
    const taken = createServer().listen(0, '127.0.0.1');
    scope.after(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const args = ['router', ...FREE_PORTS, '--admin', `127.0.0.1:${port}`];
    const { code, stderr } = await runCommandHere(args);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /another process uses the address; stop that process or choose another admin with --admin/,
    );
  });
});

describe('admin listeners of separate processes', () => {
  it('report the missing router of a gateway, and a healthy router without workers', async (t) => {
    const scope = scopeOf(t);
    const nowhere = ['--router', 'tcp://127.0.0.1:1', '--port', '0'];
    const gateway = await startNode(scope, ['gateway', ...nowhere, ...ADMIN]);
    const { code, reasons } = await readiness(endpointIn(gateway.line, 'admin'));
    assert.equal(code, 503);
    // In its first seconds the gateway also waits for the contracts of its routers.
    assert.deepEqual(
      reasons.map((reason) => reason.code).filter((reason) => reason !== 'STARTING'),
      ['NO_ROUTER'],
    );
    const router = await startNode(scope, ['router', ...FREE_PORTS, ...ADMIN]);
    assert.equal((await readiness(endpointIn(router.line, 'admin'))).code, 200);
  });

  it('report all members of a cluster', async (t) => {
    const { scope, frontend, admin: routers } = await echo(t);
    const args = ['gateway', '--router', frontend, '--port', '0', '--processes', '2', '--access-log'];
    const { node, line } = await startNode(scope, [...args, ...ADMIN, '--log-level', 'warn']);
    const [url, admin] = [urlIn(line), endpointIn(line, 'admin')];
    assert.equal(await metric(admin, 'processes'), 2);
    assert.deepEqual(await readiness(admin), { status: 'ok', reasons: [], code: 200 });
    // Connections go to the members in turn; the route may take an instant to be known to both.
    const until = Date.now() + PATIENCE;
    let answered = 0;
    while (answered < 10 && Date.now() < until) {
      const { status } = await fetch(`${url}/echo/hello`, { headers: { connection: 'close' } });
      if (status === 200) answered += 1;
    }
    const labels = { kind: 'gateway', event: 'echo.get', code: 'OK' };
    assert.equal(await metric(admin, 'requests_total', labels), 10);
    assert.equal(await metric(routers, 'requests_total', { ...labels, kind: 'router' }), 10);
    assert.ok(((await metric(routers, 'clients')) ?? 0) >= 2);
    assert.equal((await setLevel(admin, 'info')).status, 200);
    await fetch(`${url}/echo/hello`);
    await node.waitForError(/"route":"\/echo\/{message}","status":200/);
  });

  it('switch the log level to debug and back on a signal', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const { node, line } = await startNode(scopeOf(t), ['router', ...FREE_PORTS, ...ADMIN]);
    const admin = endpointIn(line, 'admin');
    for (const level of ['debug', 'info']) {
      node.kill('SIGUSR2');
      await node.waitForError(new RegExp(`"level":"${level}","msg":"changed the log level"`));
      assert.deepEqual(await (await fetch(`${admin}/log-level`)).json(), { level });
    }
  });
});
