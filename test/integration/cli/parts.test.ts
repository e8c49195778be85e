/** Gateway, router and workers as separate processes, started in any order; server and call. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ZeroMQClient } from '../../../src/index.ts';
import { FREE_PORTS, startNode, urlIn } from '../../helpers/command.ts';
import { freeEndpoint } from '../../helpers/endpoints.ts';
import { PATIENCE, PATIENT } from '../../helpers/patience.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ECHO = path.join(ROOT, 'workers/echo.ts');

/** A worker in JavaScript that does not import the package, in a folder without it. */
const SUMS = `
import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
export default defineWorker({
  handlers: { 'sum': ({ numbers }) => numbers.reduce((sum, n) => sum + n, 0), 'fail': () => { throw new Error('secret'); } },
  onStart: () => console.error('sums starts'),
  onStop: () => console.error('sums stops'),
});
`;

/** Returns the maximum number of requests that ran at the same time. */
const PEAK_WORKER = `
import { setTimeout as sleep } from 'node:timers/promises';
import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
let running = 0;
let most = 0;
export default defineWorker({
  concurrency: 2,
  handlers: {
    async peak() {
      most = Math.max(most, ++running);
      await sleep(20);
      running -= 1;
      return most;
    },
  },
});
`;

/** Blocks its thread forever on request. */
const SPINNING_WORKER = `
import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
export default defineWorker({
  handlers: {
    fine: () => 'fine',
    spin: () => { for (;;); },
  },
});
`;

const SUM_DOCUMENT = `
openapi: 3.1.0
info: { title: Sums, version: 1.0.0 }
paths:
  /sum:
    post:
      x-event-name: sum
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { numbers: { type: array, items: { type: number } } } }
      responses: { "200": { description: The sum } }
`;

async function router(scope: Scope) {
  const [frontend, backend, heartbeat] = [
    await freeEndpoint(scope, 'ipc'),
    await freeEndpoint(scope, 'ipc'),
    await freeEndpoint(scope, 'tcp'),
  ];
  const args = ['router', '--frontend', frontend, '--backend', backend, '--heartbeat', heartbeat];
  return { frontend, backend, heartbeat, start: () => startNode(scope, args) };
}

function sumsFile(t: TestContext): { folder: string; file: string } {
  const folder = tempFolder(t);
  const file = path.join(folder, 'sums.mjs');
  writeFileSync(file, SUMS);
  return { folder, file };
}

/** Repeats a request until it has the expected response, because announcements take a moment to arrive. */
async function eventuallyGets(url: string, status: number): Promise<Response> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const response = await fetch(url);
    if (response.status === status || Date.now() > until) return response;
    await response.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('gateway, router and worker as separate processes', () => {
  it('connect in any order; routes appear and disappear with the worker', async (t) => {
    const scope = scopeOf(t);
    const between = await router(scope);
    const gateway = await startNode(scope, ['gateway', '--router', between.frontend, '--port', '0']);
    const url = urlIn(gateway.line);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    assert.match(gateway.node.stderr, /no router is reachable/);
    const starting = startNode(scope, [
      'worker',
      ECHO,
      '--router',
      between.backend,
      '--heartbeat',
      between.heartbeat,
    ]);
    const { line } = await between.start();
    const worker = await starting;
    assert.match(worker.line, /^zeromq-gateway worker is ready: echo\.ts on 1 thread each, router ipc:/);
    assert.match(
      line,
      /^zeromq-gateway router is ready: frontend ipc:\S+, backend ipc:\S+, heartbeat tcp:\S+$/,
    );

    assert.deepEqual(await (await eventuallyGets(`${url}/echo/hello`, 200)).json(), { message: 'hello' });
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    worker.node.kill('SIGTERM');
    assert.deepEqual(await worker.node.exited, { code: 0, signal: null });
    assert.equal((await eventuallyGets(`${url}/echo/hello`, 503)).status, 503);
  });

  it('serve a document for workers without a contract, with settings from files', async (t) => {
    const scope = scopeOf(t);
    const between = await router(scope);
    await between.start();
    const { folder, file } = sumsFile(t);
    writeFileSync(path.join(folder, 'sums.yaml'), SUM_DOCUMENT);
    const config = {
      gateway: { router: between.frontend, port: 0, openapi: ['sums.yaml'], http: { limits: { body: 100 } } },
      worker: { router: [between.backend], files: 'sums.mjs', threads: 2 },
    };
    writeFileSync(path.join(folder, 'zeromq-gateway.json'), JSON.stringify(config));
    const worker = await startNode(scope, ['worker'], { cwd: folder });
    assert.match(worker.line, /sums\.mjs on 2 threads each/);
    const gateway = await startNode(scope, ['gateway', '--config', path.join(folder, 'zeromq-gateway.json')]);
    const post = (numbers: number[]) =>
      fetch(`${urlIn(gateway.line)}/sum`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ numbers }),
      });
    const response = await post([1, 2, 3]);
    assert.equal(response.status, 200);
    assert.equal(await response.json(), 6);
    assert.equal((await post(Array<number>(100).fill(1))).status, 413);
    assert.equal(file, path.join(folder, 'sums.mjs'));
  });

  it('restart a thread that a handler blocks', async (t) => {
    const scope = scopeOf(t);
    const between = await router(scope);
    await between.start();
    const folder = tempFolder(t);
    writeFileSync(path.join(folder, 'spin.mjs'), SPINNING_WORKER);
    const args = ['worker', 'spin.mjs', '--router', between.backend, '--thread-stall-timeout', '1000'];
    const { node } = await startNode(scope, args, { cwd: folder });
    const call = (event: string) => runCommandHere(['call', event, '--to', between.frontend]);
    assert.equal((await call('fine')).stdout, '"fine"');
    assert.match((await call('spin')).stderr, /^error: WORKER_LOST: /);
    await node.waitForError(/a handler blocks a worker thread \(oldest request: spin, /);
    await node.waitForError(/will be restarted/);
    let answer = await call('fine');
    const until = Date.now() + PATIENCE;
    while (/NO_WORKER/.test(answer.stderr) && Date.now() < until) answer = await call('fine');
    assert.equal(answer.stdout, '"fine"');
  });

  it('write a log file with the lifecycle of the node if a folder is configured', async (t) => {
    const folder = tempFolder(t);
    const { node } = await startNode(scopeOf(t), [
      ...['router', '--log-folder', path.join(folder, 'logs'), '--log-level', 'silent'],
      ...FREE_PORTS,
    ]);
    node.kill('SIGTERM');
    assert.equal((await node.exited).code, 0);
    const names = readdirSync(path.join(folder, 'logs')).join(' ');
    assert.match(names, /^debug_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.log$/);
    const lines = readFileSync(path.join(folder, 'logs', names), 'utf8')
      .trimEnd()
      .split('\n');
    const facts = lines.map((text) => JSON.parse(text) as { level: string; msg: string });
    assert.deepEqual(
      facts.map(({ level, msg }) => `${level} ${msg}`),
      ['frontend bound', 'backend bound', 'heartbeat bound', 'router started', 'router stopped'].map(
        (msg) => `debug ${msg}`,
      ),
    );
  });

  it('reload a changed document; if it is invalid, the previous version stays in use', async (t) => {
    const { folder } = sumsFile(t);
    const document = path.join(folder, 'sums.yaml');
    writeFileSync(document, SUM_DOCUMENT);
    const scope = scopeOf(t);
    const between = await router(scope);
    await between.start();
    const { node, line } = await startNode(
      scope,
      ['gateway', '--router', between.frontend, '--port', '0', '--openapi', document],
      { cwd: folder },
    );
    const url = urlIn(line);
    // Until it has heard its router, it does not know what is missing.
    assert.equal((await eventuallyGets(`${url}/readyz`, 200)).status, 200);
    assert.equal((await fetch(`${url}/total`)).status, 404);
    writeFileSync(document, SUM_DOCUMENT.replace('/sum:', '/total:').replace('post:', 'get:'));
    assert.equal((await eventuallyGets(`${url}/total`, 503)).status, 503);
    assert.equal((await fetch(`${url}/sum`)).status, 404);
    writeFileSync(document, 'openapi: 3.1.0\npaths: [');
    await node.waitForError(/sums\.yaml:2:\d+: is not valid YAML/);
    assert.equal((await fetch(`${url}/total`)).status, 503);
  });

  it('prefix the paths of a document, and skip or reject operations without an event name', async (t) => {
    const { folder } = sumsFile(t);
    writeFileSync(path.join(folder, 'sums.yaml'), SUM_DOCUMENT);
    const nameless = SUM_DOCUMENT.replace('x-event-name: sum', 'operationId: sum').replace(
      '/sum:',
      '/total:',
    );
    writeFileSync(path.join(folder, 'nameless.yaml'), nameless);
    const args = ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', '0', '--openapi'];
    const documents = ['/v1=sums.yaml', '--openapi', 'sums.yaml', '--openapi', 'nameless.yaml'];
    const { line } = await startNode(scopeOf(t), [...args, ...documents, '--unnamed', 'skip'], {
      cwd: folder,
    });
    const { paths } = (await (await fetch(`${urlIn(line)}/openapi.json`)).json()) as { paths: object };
    assert.deepEqual(Object.keys(paths), ['/v1/sum', '/sum']);
    const refused = [...args, 'nameless.yaml', '--unnamed', 'reject'];
    const { code, stderr } = await runCommandHere(refused, { cwd: folder });
    assert.equal(code, 2);
    assert.match(stderr, /error: openapi: \S+nameless\.yaml:6:\d+: .*POST \/total.*x-event-name is missing/);
  });

  it('reject invalid documents with file and position', async (t) => {
    const { folder } = sumsFile(t);
    writeFileSync(path.join(folder, 'no.yaml'), 'openapi: 3.1.0\npaths: [');
    writeFileSync(path.join(folder, 'old.json'), '{"swagger":"2.0"}');
    const documents = ['--openapi', 'no.yaml', '--openapi', 'old.json'];
    const { code, stderr } = await runCommandHere(
      ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', '0', ...documents],
      { cwd: folder },
    );
    assert.equal(code, 2);
    assert.match(stderr, /error: openapi: \S+no\.yaml:2:\d+: is not valid YAML: /);
    assert.match(stderr, /error: openapi: \S+old\.json:1:\d+: .*Swagger 2\.0/);
  });

  it('reject invalid worker files', async (t) => {
    const { folder } = sumsFile(t);
    writeFileSync(path.join(folder, 'none.js'), 'export default {};');
    const { code, stderr } = await runCommandHere(['worker', 'none.js', '--router', 'tcp://127.0.0.1:1'], {
      cwd: folder,
    });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^error: \S+none\.js: the default export must be the result of defineWorker\(\{ … \}\)\n$/,
    );
  });
});

describe('server and call', () => {
  it('serve the events of all files and print errors', async (t) => {
    const scope = scopeOf(t);
    const { file } = sumsFile(t);
    const endpoint = await freeEndpoint(scope, 'tcp');
    const server = await startNode(scope, ['server', ECHO, file, '--bind', endpoint]);
    assert.equal(server.line, `zeromq-gateway server is ready: echo.ts, sums.mjs on ${endpoint}`);
    assert.match(server.node.stderr, /sums starts/);
    const call = (...args: string[]) => runCommandHere(['call', ...args, '--to', endpoint]);
    assert.deepEqual(await call('sum', '{"numbers":[1,2]}'), { code: 0, stdout: '3', stderr: '' });
    assert.equal((await call('echo.get', '{"message":"hi"}')).stdout, '{"message":"hi"}');
    const failed = await call('fail');
    assert.deepEqual({ ...failed, stderr: '' }, { code: 1, stdout: '', stderr: '' });
    assert.match(failed.stderr, /^error: HANDLER_ERROR: /);
    assert.doesNotMatch(failed.stderr, /secret/);
    assert.match((await call('nothing')).stderr, /^error: NO_HANDLER: /);
    assert.match(
      (await call('echo.get', '{"message":""}')).stderr,
      /^error: INVALID_REQUEST: .*\n.*message/s,
    );
    server.node.kill('SIGINT');
    assert.deepEqual(await server.node.exited, { code: 0, signal: null });
    assert.match(server.node.stderr, /sums stops/);
  });

  it('limit the concurrency as configured in the file or by flag', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(path.join(folder, 'peak.mjs'), PEAK_WORKER);
    const peakOf = async (...options: string[]): Promise<number> => {
      const scope = new Scope();
      const endpoint = await freeEndpoint(scope, 'tcp');
      await startNode(scope, ['server', 'peak.mjs', '--bind', endpoint, ...options], { cwd: folder });
      const client = new ZeroMQClient({ ...PATIENT, connection: endpoint });
      scope.after(() => client.close());
      const replies = await Promise.all(Array.from({ length: 8 }, () => client.sendMessage<number>('peak')));
      await scope.close();
      return Math.max(...replies.map(({ eventData }) => eventData));
    };
    assert.equal(await peakOf(), 2);
    assert.equal(await peakOf('--concurrency', '4'), 4);
  });

  it('surround the handlers of each file with the middlewares of that file', async (t) => {
    const folder = tempFolder(t);
    for (const name of ['a', 'b']) {
      const worker = `{ handlers: { ${name}: () => 1 }, use: [async (_data, _context, next) => '${name}' + (await next())] }`;
      writeFileSync(
        path.join(folder, `${name}.mjs`),
        `import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};\nexport default defineWorker(${worker});`,
      );
    }
    const scope = scopeOf(t);
    const endpoint = await freeEndpoint(scope, 'tcp');
    await startNode(scope, ['server', 'a.mjs', 'b.mjs', '--bind', endpoint], { cwd: folder });
    const call = async (event: string): Promise<string> =>
      (await runCommandHere(['call', event, '--to', endpoint])).stdout;
    assert.deepEqual([await call('a'), await call('b')], ['"a1"', '"b1"']);
  });

  it('reject two files that handle the same event', async () => {
    const { code, stderr } = await runCommandHere(['server', ECHO, ECHO, '--bind', 'tcp://127.0.0.1:0']);
    assert.equal(code, 2);
    assert.match(stderr, /echo\.ts.*echo\.get/);
  });

  it('fail if no node responds', async (t) => {
    const to = await freeEndpoint(t, 'tcp');
    const { code, stdout, stderr } = await runCommandHere(['call', 'x', '--to', to, '--timeout', '300']);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    assert.match(stderr, /^error: NO_ROUTER: /);
  });
});
