/** `zeromq-gateway up`, as described in the README. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NEEDS_CLASSIC, PYTHON } from '../../helpers/classic.ts';
import { endpointIn, FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { type RunningProcess, startProcess } from '../../helpers/processes.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Document {
  paths: Record<string, Record<string, { 'x-event-name'?: string }>>;
}

describe('up', () => {
  const scope = new Scope();
  let node: RunningProcess;
  let line: string;
  let url: string;
  before(async () => {
    const env = { ZMQ_GATEWAY_DATA: tempFolder(scope) };
    ({ node, line } = await startNode(scope, ['up', '--port', '0', ...FREE_PORTS], { env }));
    url = urlIn(line);
  });
  after(() => scope.close());

  it('prints one line with all its endpoints, all on loopback', () => {
    assert.deepEqual(node.lines, [line]);
    assert.match(
      line,
      /^zeromq-gateway up is ready: http:\/\/127\.0\.0\.1:\d+, docs http:\/\/127\.0\.0\.1:\d+\/docs, /,
    );
    assert.match(line, /workers clock\.ts, echo\.ts, files\.ts, tasks\.ts, /);
    for (const name of ['frontend', 'backend', 'heartbeat']) {
      assert.match(endpointIn(line, name), /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    }
    assert.equal(node.stderr, '');
  });

  it('answers GET from a worker behind the router', async () => {
    const response = await fetch(`${url}/echo/hello`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(await response.json(), { message: 'hello' });
  });

  it('creates and reads tasks', async () => {
    const created = await fetch(`${url}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"title":"buy milk"}',
    });
    assert.equal(created.status, 201);
    const { id, title } = (await created.json()) as { id: number; title: string };
    assert.equal(title, 'buy milk');
    assert.equal(created.headers.get('location'), `/tasks/${id}`);
    const read = await fetch(`${url}/tasks/${id}`);
    assert.equal(read.status, 200);
    const missing = await fetch(`${url}/tasks/999`);
    assert.equal(missing.status, 404);
    assert.equal(missing.headers.get('content-type'), 'application/problem+json');
    assert.equal(((await missing.json()) as { code: string }).code, 'TASK_NOT_FOUND');
  });

  it('serves Swagger UI and the document of exactly these routes', async () => {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
    assert.deepEqual(Object.keys(document.paths).sort(), [
      '/clock/events',
      '/clock/ticks',
      '/echo',
      '/echo/{message}',
      '/files',
      '/files/{name}',
      '/inventory',
      '/inventory/{sku}',
      '/inventory/{sku}/adjustments',
      '/tasks',
      '/tasks/{id}',
    ]);
    const docs = await fetch(`${url}/docs`);
    assert.equal(docs.status, 200);
    assert.match(await docs.text(), /swagger-ui/);
    for (const probe of ['/livez', '/readyz']) assert.equal((await fetch(url + probe)).status, 200);
  });

  it('accepts the command `call` at its frontend', async (t) => {
    const args = ['call', 'echo.get', '{"message":"hé"}', '--to', endpointIn(line, 'frontend')];
    assert.deepEqual(await runCommand(t, args), { code: 0, stdout: '{"message":"hé"}', stderr: '' });
  });

  it('accepts a Python worker at its backend', NEEDS_CLASSIC, async (t) => {
    assert.equal((await fetch(`${url}/inventory`)).status, 503, 'no worker yet');
    const args = ['--router', endpointIn(line, 'backend'), '--heartbeat', endpointIn(line, 'heartbeat')];
    const script = path.join(ROOT, 'workers/python/inventory_classic.py');
    const worker = startProcess(scopeOf(t), PYTHON ?? '', [script, ...args], {
      env: { ZMQ_GATEWAY_DATA: tempFolder(t) },
    });
    await worker.waitForLine(/ready/);
    // The line says that it connected; the router knows it an instant later.
    let response = await fetch(`${url}/inventory`);
    const until = Date.now() + PATIENCE;
    while (response.status === 503 && Date.now() < until) response = await fetch(`${url}/inventory`);
    assert.equal(response.status, 200);
    assert.equal(((await response.json()) as { items: unknown[] }).items.length, 3);
  });

  it('names the address in use and the flag to change', async (t) => {
    const [, port = ''] = /:(\d+)$/.exec(url) ?? [];
    const http = await runCommand(t, ['up', '--port', port, ...FREE_PORTS]);
    assert.equal(http.code, 1);
    assert.equal(
      http.stderr.trim(),
      `error: cannot bind 127.0.0.1:${port}: another process uses the address; stop that process or choose another port with --port or ZMQ_GATEWAY_PORT`,
    );
    const frontend = endpointIn(line, 'frontend');
    const router = await runCommand(t, ['up', '--port', '0', ...FREE_PORTS, '--frontend', frontend]);
    assert.equal(router.code, 1);
    // On a busy machine libzmq's own warning, that the end of a socket takes its time, may follow.
    assert.equal(
      router.stderr.split('\n')[0],
      `error: cannot bind ${frontend}: another process uses the address; stop that process or choose another frontend with --frontend or ZMQ_GATEWAY_FRONTEND`,
    );
  });

  it('drains and exits with 0 on SIGTERM', async () => {
    node.kill('SIGTERM');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    assert.deepEqual(node.lines, [line]);
    assert.equal(
      node.stderr,
      'zeromq-gateway up: received SIGTERM, draining; a second signal exits at once\n',
    );
  });
});
