// test:all: 20 s; dev.test.ts represents it
/** `zeromq-gateway dev`: contracts that change, and saves in quick succession. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DevProject, workerText } from '../../helpers/dev-project.ts';
import { Scope } from '../../helpers/scope.ts';

describe('dev: contracts', () => {
  const scope = new Scope();
  let project: DevProject;
  before(async () => {
    project = new DevProject(scope, {
      'workers/shop.ts': workerText('shop', '{ name: id }'),
      'workers/orders.ts': workerText('orders', '{ order: id }'),
    });
    await project.start();
  });
  after(() => scope.close());

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
});
