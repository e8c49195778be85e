/** `zeromq-gateway dev`: workers are reloaded on save. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DevProject, workerText } from '../../helpers/dev-project.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';

describe('dev', () => {
  const scope = new Scope();
  let project: DevProject;
  let line: string;
  before(async () => {
    project = new DevProject(scope, {
      'workers/shop.ts': workerText('shop', '{ name: greet(id) }', {
        head: "import { greet } from '../lib/greet.ts';",
      }),
      'workers/orders.ts': workerText('orders', "{ order: id, currency: process.env['CURRENCY'] ?? 'none' }"),
      'lib/greet.ts': 'export const greet = (name: string): string => `Welcome, ${name}`;\n',
    });
    line = await project.start();
  });
  after(() => scope.close());

  it('prints the URL of Swagger UI first, which answers by then', async () => {
    const [first = ''] = /https?:\/\/[^\s,]+/.exec(line) ?? [];
    assert.match(first, /^http:\/\/127\.0\.0\.1:\d+\/docs$/);
    const page = await fetch(first);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /swagger-ui/);
    assert.match(line, /, workers orders\.ts, shop\.ts, /);
  });

  it('logs each request in one line, plain outside a terminal', async () => {
    const output = await project.after(() => void project.get('/shop/world'), /^GET \/shop.*$/m);
    assert.match(output, /^GET \/shop\/world 200 (<1|\d+) ms$/m);
  });

  it('logs the error text and the request id of failed requests', async () => {
    const output = await project.after(() => void project.get('/nowhere'), /^GET \/nowhere.*$/m);
    assert.match(output, /^GET \/nowhere 404 (<1|\d+) ms NOT_FOUND: .+ \(request [\w-]+\)$/m);
  });

  it('reloads a worker when its file is saved', async () => {
    const output = await project.save('workers/orders.ts', workerText('orders', '{ order: id, version: 2 }'));
    assert.match(output, /^reloaded workers\/orders\.ts in \d+ ms\n$/);
    assert.deepEqual((await project.get('/orders/7')).body, { order: '7', version: 2 });
  });

  it('reloads the workers that use a changed module, and no others', async () => {
    const output = await project.save(
      'lib/greet.ts',
      'export const greet = (name: string): string => `Hello, ${name}`;\n',
    );
    assert.match(output, /^reloaded workers\/shop\.ts in \d+ ms \(lib\/greet\.ts changed\)\n$/);
    assert.deepEqual((await project.get('/shop/Ann')).body, { name: 'Hello, Ann' });
  });

  it('reloads a file that an editor replaces by renaming', async () => {
    for (const word of ['One', 'Two']) {
      const text = `export const greet = (name: string): string => '${word} ' + name;\n`;
      await project.after(() => project.replace('lib/greet.ts', text), /^reloaded .*$/m);
      assert.deepEqual((await project.get('/shop/Ann')).body, { name: `${word} Ann` });
    }
  });

  it('shows a syntax error with file, line and code, and keeps the version before', async () => {
    const text =
      'export const greet = (name: string): string => `Broken`;\nconst x = 1;\nexport const y = ;\n';
    const output = await project.save('lib/greet.ts', text, /^ {2}4 \|/m);
    assert.match(output, /^error: cannot load workers\/shop\.ts; the version before keeps running\n/);
    assert.match(output, /^lib\/greet\.ts:3:18: SyntaxError: .*";"/m);
    assert.match(output, /^> 3 \| export const y = ;\n {4}\| {18}\^$/m);
    assert.deepEqual((await project.get('/shop/Ann')).body, { name: 'Two Ann' });
    await project.save('lib/greet.ts', 'export const greet = (name: string): string => `Fixed ${name}`;\n');
    assert.deepEqual((await project.get('/shop/Ann')).body, { name: 'Fixed Ann' });
  });

  it('shows where a file throws while it is loaded, and keeps the version before', async () => {
    const text = workerText('orders', '{ order: id }', { head: "throw new TypeError('no database');" });
    const output = await project.save('workers/orders.ts', text, /\^$/m);
    assert.match(output, /^workers\/orders\.ts:3:7: TypeError: no database$/m);
    assert.match(output, /^> 3 \| throw new TypeError\('no database'\);$/m);
    assert.deepEqual((await project.get('/orders/7')).body, { order: '7', version: 2 });
  });

  it('loads a worker again when the module that it imports is created', async () => {
    const head = "import { tax } from '../lib/money/tax.ts';";
    const broken = workerText('orders', '{ tax: tax(id) }', { head });
    const output = await project.save('workers/orders.ts', broken, /\^$/m);
    assert.match(output, /^workers\/orders\.ts:3:21: .*Cannot find module .*tax\.ts/m);
    await project.save('lib/money/tax.ts', 'export const tax = (id: string): string => `19 % of ${id}`;\n');
    assert.deepEqual((await project.get('/orders/7')).body, { tax: '19 % of 7' });
  });

  it('serves an incompatible contract, and says that it is not compatible', async () => {
    const text = workerText('orders', '{ order: id }', { path: '/v2/orders/{id}', event: 'orders.read' });
    const output = await project.save('workers/orders.ts', text, /not compatible.*$/m);
    assert.match(
      output,
      /^warning: workers\/orders\.ts: the contract is not compatible with the one before: .+/m,
    );
    assert.deepEqual((await project.get('/v2/orders/7')).body, { order: '7' });
    assert.equal((await project.get('/orders/7')).status, 404);
    assert.deepEqual(await project.paths(), ['/shop/{id}', '/v2/orders/{id}']);
  });

  it('returns to the former contract when the change is undone', async () => {
    await project.save('workers/orders.ts', workerText('orders', '{ order: id, undone: true }'));
    assert.deepEqual((await project.get('/orders/7')).body, { order: '7', undone: true });
    assert.deepEqual(await project.paths(), ['/orders/{id}', '/shop/{id}']);
  });

  it('serves a contract under another name that has the same routes', async () => {
    const text = workerText('sales', '{ order: id, by: "sales" }', { path: '/orders/{id}' });
    await project.save('workers/orders.ts', text);
    assert.deepEqual((await project.get('/orders/7')).body, { order: '7', by: 'sales' });
    assert.deepEqual(await project.paths(), ['/orders/{id}', '/shop/{id}']);
  });

  it('starts a new worker file, and removes the routes of a deleted one', async () => {
    await project.save('workers/stock.ts', workerText('stock', '{ sku: id }'));
    assert.deepEqual((await project.get('/stock/bolt')).body, { sku: 'bolt' });
    await project.after(() => project.remove('workers/stock.ts'), /^removed workers\/stock\.ts$/m);
    assert.equal((await project.get('/stock/bolt')).status, 404);
    assert.deepEqual(await project.paths(), ['/orders/{id}', '/shop/{id}']);
  });

  it('refuses a worker whose route another file has, until that file gives it up', async () => {
    const output = await project.save(
      'workers/copy.ts',
      workerText('copy', "{ by: 'copy', id }", { path: '/orders/{id}' }),
      /already serves.*$/m,
    );
    assert.match(output, /^error: cannot load workers\/copy\.ts; its routes are not served\n/);
    assert.deepEqual((await project.get('/orders/7')).body, { order: '7', by: 'sales' });
    const text = workerText('orders', '{ id }', { path: '/other/{id}' });
    await project.save('workers/orders.ts', text, /^reloaded workers\/copy\.ts/m);
    assert.deepEqual((await project.get('/orders/7')).body, { by: 'copy', id: '7' });
  });

  it('loads only the last of rapid saves', async () => {
    const output = await project.after(() => {
      for (let n = 1; n <= 20; n += 1)
        project.write('workers/copy.ts', workerText('copy', `{ n: ${n}, id }`));
    }, /^reloaded .*$/m);
    assert.equal(output.match(/^reloaded/gm)?.length, 1, output);
    assert.deepEqual((await project.get('/copy/7')).body, { n: 20, id: '7' });
  });

  it('gives up a version that does not end to load when the file is saved again', async () => {
    const head = "setInterval(() => undefined, 1000);\nawait new Promise(() => console.error('loading'));";
    const endless = workerText('copy', '{ id }', { head });
    await project.save('workers/copy.ts', endless, /^loading$/m);
    assert.deepEqual((await project.get('/copy/7')).body, { n: 20, id: '7' });
    const output = await project.save('workers/copy.ts', workerText('copy', '{ n: 21, id }'));
    assert.match(output, /^reloaded workers\/copy\.ts in \d+ ms\n$/);
    assert.deepEqual((await project.get('/copy/7')).body, { n: 21, id: '7' });
  });

  it('ends with exit code 0 on SIGINT, without an error', async () => {
    const { node } = project;
    node.kill('SIGINT');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    assert.match(node.stderr, /received SIGINT, draining; a second signal exits at once\n$/);
  });
});

describe('dev: JavaScript', () => {
  it('needs no tsx, reloads imported modules, and shows the place of a syntax error', async (t) => {
    const javascript = (text: string) => text.replace('Joi.object<{ id: string }>', 'Joi.object');
    const project = new DevProject(
      scopeOf(t),
      {
        'workers/shop.js': javascript(
          workerText('shop', '{ text: greet(id), id }', { head: "import { greet } from '../lib/greet.js';" }),
        ),
        'lib/greet.js':
          "import { createRequire } from 'node:module';\nexport const { greet } = createRequire(import.meta.url)('./words.cjs');\n",
        'lib/words.cjs': 'exports.greet = (name) => `Welcome, ${name}`;\n',
      },
      ['joi'],
    );
    await project.start();
    assert.deepEqual((await project.get('/shop/Ann')).body, { text: 'Welcome, Ann', id: 'Ann' });
    await project.save('lib/words.cjs', 'exports.greet = (name) => `Hello, ${name}`;\n');
    assert.deepEqual((await project.get('/shop/Ann')).body, { text: 'Hello, Ann', id: 'Ann' });
    const output = await project.save('lib/greet.js', 'export const a = 1;\nexport const b = ;\n', /\^$/m);
    assert.match(output, /^lib\/greet\.js:2:18: SyntaxError: Unexpected token ';'$/m);
  });
});

describe('dev: environment', () => {
  const answer = "{ id, level: process.env['LEVEL'], own: process.env['OWN'] }";

  it('reloads all workers when .env changes; the environment of the command takes precedence', async (t) => {
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': workerText('shop', answer),
      '.env': 'LEVEL=one\nOWN=file\n',
    });
    await project.start([], { OWN: 'shell' });
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'one', own: 'shell' });
    const output = await project.save('.env', 'LEVEL="two"\n');
    assert.match(output, /^reloaded workers\/shop\.ts in \d+ ms \(\.env changed\)\n$/);
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'two', own: 'shell' });
  });

  it('reads the files of --env-file in order, and watches the files of --watch', async (t) => {
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': workerText(
        'shop',
        "{ id, level: process.env['LEVEL'], text: readFileSync('data.txt', 'utf8') }",
        {
          head: "import { readFileSync } from 'node:fs';",
        },
      ),
      'a.env': 'LEVEL=a\n',
      'b.env': 'LEVEL=b\n',
      'data.txt': 'one',
    });
    await project.start(['--env-file', 'a.env', '--env-file', 'b.env', '--watch', 'data.txt']);
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'b', text: 'one' });
    await project.save('data.txt', 'two');
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'b', text: 'two' });
  });

  it('reloads an OpenAPI document, and keeps the version before if the new one is not valid', async (t) => {
    const documentWith = (route: string) =>
      `openapi: 3.1.0\ninfo: { title: stock, version: '1' }\npaths:\n  ${route}:\n    get: { operationId: stock.get, responses: { 200: { description: ok } } }\n`;
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': workerText('shop', answer),
      'stock.yaml': documentWith('/stock'),
    });
    await project.start(['--openapi', 'stock.yaml']);
    await project.save('stock.yaml', documentWith('/stores'), /reloaded a document.*$/m);
    assert.deepEqual(await project.paths(), ['/shop/{id}', '/stores']);
    await project.save('stock.yaml', 'openapi: 3.1.0\npaths: 1\n', /previous version stays in use.*$/m);
    assert.deepEqual(await project.paths(), ['/shop/{id}', '/stores']);
  });

  it('says that it must be started again when its configuration or a file with hooks changes', async (t) => {
    const hooks = 'export default { onReply: () => undefined };\n';
    const project = new DevProject(scopeOf(t), {
      'workers/shop.ts': workerText('shop', answer),
      'zeromq-gateway.yaml': 'dev:\n  workers: workers\n',
      'hooks.ts': hooks,
    });
    await project.start(['--hooks', 'hooks.ts']);
    for (const [name, text] of [
      ['zeromq-gateway.yaml', 'dev: {}\n'],
      ['hooks.ts', `${hooks}\n`],
    ] as const) {
      const output = await project.save(name, text, /start dev again to use it$/m);
      assert.equal(output, `${name} changed: start dev again to use it\n`);
    }
  });

  it('starts without a worker that can be loaded, and serves it once it is fixed', async (t) => {
    const project = new DevProject(scopeOf(t), { 'workers/shop.ts': 'export default 1;\n' });
    const line = await project.start();
    assert.match(line, /workers shop\.ts/);
    assert.match(
      project.node.stderr,
      /cannot load workers\/shop\.ts; its routes are not served\n.*the default export/,
    );
    await project.save('workers/shop.ts', workerText('shop', '{ id }'));
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1' });
  });
});
