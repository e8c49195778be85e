/** `zeromq-gateway dev`: workers are reloaded on save. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DevProject, workerText } from '../../helpers/dev-project.ts';
import { Scope } from '../../helpers/scope.ts';

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

  it('starts a new worker file, and removes the routes of a deleted one', async () => {
    await project.save('workers/stock.ts', workerText('stock', '{ sku: id }'));
    assert.deepEqual((await project.get('/stock/bolt')).body, { sku: 'bolt' });
    await project.after(() => project.remove('workers/stock.ts'), /^removed workers\/stock\.ts$/m);
    assert.equal((await project.get('/stock/bolt')).status, 404);
    assert.deepEqual(await project.paths(), ['/orders/{id}', '/shop/{id}']);
  });

  it('ends with exit code 0 on SIGINT, without an error', async () => {
    const { node } = project;
    node.kill('SIGINT');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    assert.match(node.stderr, /received SIGINT, draining; a second signal exits at once\n$/);
  });
});
