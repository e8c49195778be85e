// test:all: 25 s; test/unit/cli/types represents it
/** `zeromq-gateway types` with a file, the document of a running gateway, and a router. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { endpointIn, FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** An address at which nothing listens. */
const UNUSED = '127.0.0.1:9';

/** Returns the output without the comment that names the source. */
const withoutHead = (text: string) => text.slice(text.indexOf('*/'));

/** Returns the members of the interface `Events`, without their comments. */
const eventsIn = (text: string) => text.match(/^ {2}'[^\n]*(?:\};$|\{\n.*?^ {2}\};$)/gms) ?? [];

const types = (t: TestContext, from: string, options: readonly string[] = [], cwd = tempFolder(t)) =>
  runCommand(t, ['types', '--from', from, ...options], { cwd });

describe('types of a running system', () => {
  const scope = new Scope();
  let url: string;
  let router: string;
  before(async () => {
    const env = { ZMQ_GATEWAY_DATA: tempFolder(scope) };
    const { line } = await startNode(scope, ['up', '--port', '0', '--python', 'off', ...FREE_PORTS], { env });
    url = `${urlIn(line)}/openapi.json`;
    router = endpointIn(line, 'frontend');
  });
  after(() => scope.close());

  it('writes the same types from the gateway, its document in a file, and the router', async (t) => {
    const [fromGateway, fromRouter] = await Promise.all([types(t, url), types(t, router)]);
    assert.deepEqual([fromGateway.code, fromGateway.stderr], [0, '']);
    assert.deepEqual([fromRouter.code, fromRouter.stderr], [0, '']);
    assert.ok(fromGateway.stdout.includes(`zeromq-gateway types --from ${url}\n`));
    assert.match(
      fromGateway.stdout,
      /^ {2}'tasks\.get': \{\n {4}data: \{\n {6}\/\*\*.*\*\/\n {6}id: number;$/m,
    );
    // The document of the gateway adds the response 202 to asynchronous operations.
    const synchronous = (text: string): string[] =>
      eventsIn(text).filter((event) => !/^ {2}'(inventory|reports)\./.test(event));
    const own = synchronous(fromGateway.stdout);
    assert.ok(own.length > 4);
    assert.deepEqual(synchronous(fromRouter.stdout), own);
    assert.match(fromGateway.stdout, /'reports\.make': \{/);

    const cwd = tempFolder(t);
    writeFileSync(path.join(cwd, 'live.json'), await (await fetch(url)).text());
    const fromFile = await types(t, 'live.json', ['--output', 'events.ts'], cwd);
    assert.deepEqual([fromFile.code, fromFile.stdout], [0, '']);
    assert.equal(fromFile.stderr.trim(), 'zeromq-gateway types: wrote events.ts');
    const written = readFileSync(path.join(cwd, 'events.ts'), 'utf8');
    assert.ok(written.includes('zeromq-gateway types --from live.json\n'));
    assert.equal(withoutHead(written).trimEnd(), withoutHead(fromGateway.stdout).trimEnd());
  });

  it('reads the YAML document of the gateway', async (t) => {
    const yaml = await types(t, url.replace('.json', '.yaml'));
    assert.equal(withoutHead(yaml.stdout), withoutHead((await types(t, url)).stdout));
  });

  it('a URL without a document: names the status and what to check', async (t) => {
    const { code, stderr } = await types(t, `${url}x`);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /cannot read .*openapi\.jsonx: the server responded with 404; check that the gateway runs/,
    );
  });
});

describe('types of a file', () => {
  it('follows references to other files', async (t) => {
    const cwd = tempFolder(t);
    mkdirSync(path.join(cwd, 'schemas'));
    writeFileSync(
      path.join(cwd, 'schemas/task.yaml'),
      'type: object\nrequired: [id]\nproperties: { id: { type: integer } }\n',
    );
    writeFileSync(
      path.join(cwd, 'tasks.yaml'),
      `openapi: 3.0.3
info: { title: Tasks, version: '1' }
paths:
  /tasks:
    get:
      operationId: listTasks
      responses:
        '200':
          description: All tasks
          content: { application/json: { schema: { $ref: schemas/task.yaml } } }
    delete: { x-event-name: tasks.clear, responses: { '204': { description: Done } } }
`,
    );
    const all = await types(t, 'tasks.yaml', [], cwd);
    assert.deepEqual([all.code, all.stderr], [0, '']);
    assert.match(all.stdout, /^ {2}'listTasks': \{ data: unknown; reply: Task \};$/m);
    assert.match(all.stdout, /^export interface Task \{\n {2}id: number;\n\}$/m);
    const named = await types(t, 'tasks.yaml', ['--unnamed', 'skip'], cwd);
    assert.deepEqual(named.stdout.match(/'.*':/g), ["'tasks.clear':"]);
  });

  it('an invalid document: names file, line and reason', async (t) => {
    const cwd = tempFolder(t);
    writeFileSync(path.join(cwd, 'broken.yaml'), 'openapi: 3.1.0\npaths:\n  /a: { $ref: "b.yaml" }\n');
    const broken = await types(t, 'broken.yaml', [], cwd);
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /error: from: .*broken\.yaml:3/);
    const missing = await types(t, 'missing.yaml', [], cwd);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /from: .*missing\.yaml" \(from --from\) is invalid; allowed: http:/);
    writeFileSync(path.join(cwd, 'empty.yaml'), 'openapi: 3.1.0\npaths: {}\n');
    const empty = await types(t, 'empty.yaml', [], cwd);
    assert.deepEqual([empty.code, /the document has no operations/.test(empty.stderr)], [2, true]);
  });

  it('an output that cannot be written: names the reason', async (t) => {
    const cwd = tempFolder(t);
    writeFileSync(
      path.join(cwd, 'a.yaml'),
      'openapi: 3.1.0\npaths: { /a: { get: { x-event-name: a, responses: {} } } }\n',
    );
    const { code, stderr } = await types(t, 'a.yaml', ['--output', 'no/such/folder.ts'], cwd);
    assert.equal(code, 1);
    assert.match(stderr, /cannot write .*folder\.ts: ENOENT.*; choose another file with --output/);
  });
});

describe('sources that do not respond', () => {
  it('a gateway', async (t) => {
    const { code, stderr } = await types(t, `http://${UNUSED}/openapi.json`);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /cannot read http:\/\/127\.0\.0\.1:9\/openapi\.json: .*; check that the gateway runs/,
    );
  });

  it('a server that sends nothing, or no document', async (t) => {
    const scope = scopeOf(t);
    const server = createServer((request, response) => {
      if (request.url === '/text') response.end('a: [');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scope.after(() => server.close());
    scope.after(() => server.closeAllConnections());
    const { port } = server.address() as { port: number };
    const silent = await types(t, `http://127.0.0.1:${port}/silent`, ['--timeout', '200']);
    assert.deepEqual([silent.code, /no response within 200 ms/.test(silent.stderr)], [1, true]);
    const text = await types(t, `http://127.0.0.1:${port}/text`);
    assert.deepEqual([text.code, /is neither JSON nor YAML/.test(text.stderr)], [2, true]);
  });

  it('a router', async (t) => {
    const { code, stderr } = await types(t, `tcp://${UNUSED}`, ['--timeout', '300']);
    assert.equal(code, 1);
    assert.match(stderr, /NO_ROUTER: .*\nwhat to do: /s);
  });

  it('a router without contracts', async (t) => {
    const { line } = await startNode(scopeOf(t), ['router', ...FREE_PORTS]);
    const { code, stderr } = await types(t, endpointIn(line, 'frontend'));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /announced a contract: start the workers, or pass their OpenAPI document with --from FILE/,
    );
  });
});
