// test:all: 40 s; dev.test.ts represents it
/** `zeromq-gateway dev`: its processes, debugger ports, and the type check in the background. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DevProject, workerText } from '../../helpers/dev-project.ts';
import { childrenOf, ended } from '../../helpers/process-table.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: ['node'],
  },
  include: ['workers'],
});

const TYPESCRIPT = ['joi', 'tsx', 'typescript', '@types/node'];

/** Port of the debugger in the output. */
function debuggerPort(output: string, file: string): string {
  const [, port = ''] =
    new RegExp(`^${file}: a debugger can attach to 127\\.0\\.0\\.1:(\\d+)$`, 'm').exec(output) ?? [];
  return port;
}

describe('dev: processes', () => {
  it('gives each worker a debugger port, which it keeps after a reload', async (t) => {
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': workerText('shop', '{ pid: process.pid, id }'),
      'workers/orders.ts': workerText('orders', '{ pid: process.pid, id }'),
    });
    await project.start(['--inspect', '--inspect-port', '39229']);
    const { node } = project;
    await node.waitForError(
      /shop\.ts: a debugger[^]*orders\.ts: a debugger|orders\.ts: a debugger[^]*shop\.ts: a debugger/,
    );
    const ports = ['workers/shop.ts', 'workers/orders.ts'].map((file) => debuggerPort(node.stderr, file));
    assert.equal(new Set(ports).size, 2);
    const target = async (port = ''): Promise<{ title: string; type: string }> => {
      const [found] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as [
        { title: string; type: string },
      ];
      return found;
    };
    for (const port of ports) assert.equal((await target(port)).type, 'node');
    const before = (await project.get('/shop/1')).body as { pid: number };
    assert.notEqual(before.pid, node.pid);
    const output = await project.save(
      'workers/shop.ts',
      workerText('shop', '{ pid: process.pid, id, second: true }'),
      /a debugger can attach to .*$/m,
    );
    assert.equal(debuggerPort(output, 'workers/shop.ts'), ports[0]);
    assert.equal((await target(ports[0])).type, 'node');
    const later = (await project.get('/shop/1')).body as { pid: number };
    assert.notEqual(later.pid, before.pid);
    assert.ok(!node.stderr.includes('Debugger listening'));
    node.kill('SIGINT');
    await node.exited;
    await ended([later.pid]);
  });

  it('moves a worker that opens sockets to a process, and reloads it; a browser is not needed', async (t) => {
    const head =
      "import { ZeroMQClient } from 'zeromq-gateway';\nnew ZeroMQClient({ connection: 'tcp://127.0.0.1:9' });";
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': workerText('shop', '{ v: 1, id }', { head }),
    });
    await project.start(['--open'], { BROWSER: path.join(project.folder, 'none') });
    await project.node.waitForError(/^warning: cannot open a browser: .*ENOENT$/m);
    assert.deepEqual((await project.get('/shop/1')).body, { v: 1, id: '1' });
    await project.save('workers/shop.ts', workerText('shop', '{ v: 2, id }', { head }));
    assert.deepEqual((await project.get('/shop/1')).body, { v: 2, id: '1' });
  });

  it('keeps the running version while a file or an import of it has type errors', async (t) => {
    const project = new DevProject(
      scopeOf(t),
      {
        'workers/shop.ts': workerText('shop', '{ id, v: value }', {
          head: "import { value } from '../value.ts';",
        }),
        'workers/other.ts': workerText('other', '{ id }'),
        'value.ts': 'export const value: number = 1;',
        'tsconfig.json': TSCONFIG,
      },
      TYPESCRIPT,
    );
    await project.start(['--typecheck', 'hold']);
    const HELD = /^error: workers\/shop\.ts has type errors; the version before keeps running$/m;
    const output = await project.save('value.ts', "export const value: number = 'two';", HELD);
    assert.match(output, /^value\.ts:1:14 - error TS2322: Type 'string' is not assignable to type 'number'/m);
    assert.match(output, /^error: 1 type error$/m);
    assert.doesNotMatch(output, /^reloaded/m);
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', v: 1 });
    await project.save(
      'workers/other.ts',
      workerText('other', '{ id, v: 2 }'),
      /^reloaded workers\/other\.ts/m,
    );
    assert.deepEqual((await project.get('/other/1')).body, { id: '1', v: 2 });
    await project.save('value.ts', 'export const value: number = 2;', /^reloaded workers\/shop\.ts/m);
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', v: 2 });
  });

  it('only shows type errors, with file, line and code, with --typecheck report', async (t) => {
    const project = new DevProject(
      scopeOf(t),
      { 'workers/shop.ts': workerText('shop', '{ id }'), 'tsconfig.json': TSCONFIG },
      TYPESCRIPT,
    );
    await project.start(['--typecheck', 'report']);
    const wrong = workerText('shop', '{ id, wrong: id.missing }');
    const output = await project.save('workers/shop.ts', wrong, /type error.*$/m);
    assert.match(output, /^workers\/shop\.ts:\d+:\d+ - error TS2339: Property 'missing' does not exist/m);
    assert.match(output, /^\d+ .*wrong: id\.missing.*\n +~+$/m);
    assert.match(output, /^error: 1 type error; the code runs nevertheless$/m);
    assert.match(output, /^reloaded workers\/shop\.ts/m);
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1' });
    await project.save('workers/shop.ts', workerText('shop', '{ id, right: true }'), /^no type errors$/m);
    const [compiler] = childrenOf(project.node.pid);
    assert.ok(compiler !== undefined);
    project.node.kill('SIGINT');
    assert.deepEqual(await project.node.exited, { code: 0, signal: null });
    await ended([compiler]);
  });
});

describe('dev: without typescript, with a browser', () => {
  const scope = new Scope();
  let project: DevProject;
  let line: string;
  before(async () => {
    const head = "function fail(): never {\n  throw new Error('no stock');\n}";
    project = new DevProject(scope, {
      'workers/shop.ts': workerText('shop', '{ id }'),
      'workers/stock.ts': workerText('stock', 'fail()', { head }),
      'tsconfig.json': TSCONFIG,
      'browser.sh': '#!/bin/sh\nprintf "%s" "$1" > opened.tmp && mv opened.tmp opened.txt\n',
      'opened.txt': '',
    });
    const browser = path.join(project.folder, 'browser.sh');
    chmodSync(browser, 0o755);
    const args = ['--typecheck', 'hold', '--watch', 'opened.txt', '--open'];
    line = await project.start(args, { BROWSER: browser });
  });
  after(() => scope.close());

  it('opens Swagger UI in the browser', async () => {
    await project.node.waitForError(/^reloaded .*\(opened\.txt changed\)$/m);
    const [page] = /http:[^\s,]+/.exec(line) ?? [];
    assert.equal(readFileSync(path.join(project.folder, 'opened.txt'), 'utf8'), page);
  });

  it('says once that types are not checked, and why', async () => {
    await project.node.waitForError(/types are not checked/);
    await project.save('workers/shop.ts', workerText('shop', '{ id, v: 2 }'), /^reloaded workers\/shop\.ts/m);
    const [first, ...more] = project.node.stderr.match(/^.*types are not checked.*$/gm) ?? [];
    assert.match(
      first ?? '',
      /^warning: .*: the package typescript is not installed; run npm install --save-dev typescript$/,
    );
    assert.deepEqual(more, []);
  });

  it('shows the error of a handler with its stack and the line of the user', async () => {
    const output = await project.after(() => void project.get('/stock/1'), /^GET \/stock\/1 500 .*$/m);
    assert.match(
      output,
      /^GET \/stock\/1 500 (<1|\d+) ms HANDLER_ERROR: .+ \(event stock\.get, request [\w-]+\)$/m,
    );
    await project.node.waitForError(/^ *> 4 \| {3}throw new Error\('no stock'\);$/m);
    assert.match(project.node.stderr, /Error: no stock\n +at fail \(.*workers\/stock\.ts:4:9\)/);
  });
});
