/** `zeromq-gateway up`, as described in the README. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NEEDS_CLASSIC, PYTHON } from '../../helpers/classic.ts';
import { endpointIn, FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { type RunningProcess, startProcess } from '../../helpers/processes.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Document {
  paths: Record<string, Record<string, { 'x-event-name'?: string; 'x-available'?: boolean }>>;
}

describe('up with the Python sample', NEEDS_CLASSIC, () => {
  it('starts the Python sample with a Python that has pyzmq, and ends it', async (t) => {
    const env = { ZMQ_GATEWAY_DATA: tempFolder(t), ZMQ_GATEWAY_PYTHON: PYTHON };
    const { node, line } = await startNode(
      scopeOf(t),
      ['up', '--port', '0', '--admin', 'off', ...FREE_PORTS],
      { env },
    );
    assert.match(line, /, workers clock\.js, echo\.js, files\.js, reports\.js, tasks\.js, inventory\.py, /);
    const response = await fetch(`${urlIn(line)}/inventory/bolt-m6`);
    assert.deepEqual([response.status, await response.json()], [200, { sku: 'bolt-m6', quantity: 1200 }]);
    node.kill('SIGTERM');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    assert.match(node.stderr, /"worker":"inventory#[\da-f]{8}",.*"msg":"worker joined"/);
    assert.match(
      node.stderr,
      /^zeromq-gateway up: received SIGTERM, draining; a second signal exits at once$/m,
    );
  });

  it('warns if the Python of the settings has no pyzmq', async (t) => {
    const args = ['up', '--port', '0', '--admin', 'off', '--python', '/does/not/exist', ...FREE_PORTS];
    const { line, node } = await startNode(scopeOf(t), args, { env: { ZMQ_GATEWAY_DATA: tempFolder(t) } });
    assert.match(line, /, workers clock\.js, echo\.js, files\.js, reports\.js, tasks\.js, frontend /);
    await node.waitForError(/the Python sample does not run: it needs Python 3\.9 with pyzmq 24/);
  });
});

describe('up without workers', () => {
  const quiet = ['--port', '0', '--admin', 'off', ...FREE_PORTS];

  it('runs with --workers off, and answers 503 until a worker connects', async (t) => {
    const openapi = path.join(ROOT, 'openapi/inventory.yaml');
    const args = ['up', '--workers', 'off', '--openapi', openapi, ...quiet];
    const { line } = await startNode(scopeOf(t), args);
    assert.match(line, /, workers none, /);
    assert.doesNotMatch(line, /admin/);
    assert.equal((await fetch(`${urlIn(line)}/inventory`)).status, 503);
  });

  it('runs with an empty folder, and warns', async (t) => {
    const { line, node } = await startNode(scopeOf(t), ['up', '--workers', tempFolder(t), ...quiet]);
    assert.match(line, /, workers none, /);
    await node.waitForError(/the folder of the workers contains no worker file/);
  });

  it('names ZMQ_GATEWAY_DATA if the samples cannot write their data', async (t) => {
    const file = path.join(tempFolder(t), 'file');
    writeFileSync(file, '');
    const env = { ZMQ_GATEWAY_DATA: path.join(file, 'data') };
    const { code, stderr } = await runCommand(t, ['up', ...quiet], { env });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^error: cannot store data in .*\/file\/data: ENOTDIR; set ZMQ_GATEWAY_DATA to a folder that can be written$/m,
    );
    assert.doesNotMatch(stderr, /^ +at /m);
  });
});

describe('up', () => {
  const scope = new Scope();
  let node: RunningProcess;
  let line: string;
  let url: string;
  before(async () => {
    const env = { ZMQ_GATEWAY_DATA: tempFolder(scope) };
    ({ node, line } = await startNode(scope, ['up', '--port', '0', '--python', 'off', ...FREE_PORTS], {
      env,
    }));
    url = urlIn(line);
  });
  after(() => scope.close());

  it('prints one line with all its endpoints, all on loopback', () => {
    assert.deepEqual(node.lines, [line]);
    assert.match(
      line,
      /^zeromq-gateway up is ready: http:\/\/127\.0\.0\.1:\d+, docs http:\/\/127\.0\.0\.1:\d+\/docs, /,
    );
    assert.match(line, /workers clock\.js, echo\.js, files\.js, reports\.js, tasks\.js, /);
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

  it('serves Swagger UI and the document of exactly these routes, those without a worker last', async () => {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
    assert.equal(Object.keys(document.paths).at(-1), '/inventory/{sku}/adjustments');
    assert.equal(document.paths['/inventory']?.['get']?.['x-available'], false);
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
      '/reports',
      '/requests/{id}',
      '/requests/{id}/events',
      '/requests/{id}/result',
      '/tasks',
      '/tasks/{id}',
    ]);
    const docs = await fetch(`${url}/docs`);
    assert.equal(docs.status, 200);
    assert.match(await docs.text(), /swagger-ui/);
    for (const probe of ['/livez', '/readyz']) assert.equal((await fetch(url + probe)).status, 200);
  });

  it('accepts the command `call` at its frontend', async () => {
    const args = ['call', 'echo.get', '{"message":"hé"}', '--to', endpointIn(line, 'frontend')];
    assert.deepEqual(await runCommandHere(args), { code: 0, stdout: '{"message":"hé"}', stderr: '' });
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
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
    assert.equal(document.paths['/inventory']?.['get']?.['x-available'], undefined, 'a worker serves it');
  });

  it('names the address in use and the flag to change', async (t) => {
    const [, port = ''] = /:(\d+)$/.exec(url) ?? [];
    const http = await runCommand(t, ['up', '--port', port, '--workers', 'off', ...FREE_PORTS]);
    assert.equal(http.code, 1);
    assert.equal(
      http.stderr.trim(),
      `error: cannot bind 127.0.0.1:${port}: another process uses the address; stop that process or choose another port with --port or ZMQ_GATEWAY_PORT`,
    );
    const frontend = endpointIn(line, 'frontend');
    const router = await runCommand(t, [
      ...['up', '--port', '0', '--workers', 'off'],
      ...[...FREE_PORTS, '--frontend', frontend],
    ]);
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
    const last = 'zeromq-gateway up: received SIGTERM, draining; a second signal exits at once\n';
    assert.equal(node.stderr.slice(-last.length), last);
    // The Python worker of another test came and went.
    assert.doesNotMatch(node.stderr, /"level":"(?:error|fatal)"/);
  });
});
