// test:all: 30 s; dev.test.ts represents it
/** `zeromq-gateway dev`: JavaScript, variables of the environment, documents, and files that it cannot reload. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DevProject, workerText } from '../../helpers/dev-project.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';

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

const ANSWER = "{ id, level: process.env['LEVEL'], own: process.env['OWN'] }";
const HOOKS = 'export default { onReply: () => undefined };\n';

/** A document with one route. */
function documentWith(route: string): string {
  return `openapi: 3.1.0\ninfo: { title: stock, version: '1' }\npaths:\n  ${route}:\n    get: { operationId: stock.get, responses: { 200: { description: ok } } }\n`;
}

describe('dev: files other than workers', () => {
  const scope = new Scope();
  let project: DevProject;
  before(async () => {
    project = new DevProject(scope, {
      'workers/shop.ts': workerText('shop', ANSWER),
      '.env': 'LEVEL=one\nOWN=file\n',
      'stock.yaml': documentWith('/stock'),
      'zeromq-gateway.yaml': 'dev:\n  workers: workers\n',
      'hooks.ts': HOOKS,
    });
    await project.start(['--openapi', 'stock.yaml', '--hooks', 'hooks.ts'], { OWN: 'shell' });
  });
  after(() => scope.close());

  it('reloads all workers when .env changes; the environment of the command takes precedence', async () => {
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'one', own: 'shell' });
    const output = await project.save('.env', 'LEVEL="two"\n');
    assert.match(output, /^reloaded workers\/shop\.ts in \d+ ms \(\.env changed\)\n$/);
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'two', own: 'shell' });
  });

  it('reloads an OpenAPI document, and keeps the version before if the new one is not valid', async () => {
    await project.save('stock.yaml', documentWith('/stores'), /reloaded a document.*$/m);
    assert.deepEqual(await project.paths(), ['/shop/{id}', '/stores']);
    await project.save('stock.yaml', 'openapi: 3.1.0\npaths: 1\n', /previous version stays in use.*$/m);
    assert.deepEqual(await project.paths(), ['/shop/{id}', '/stores']);
  });

  it('says that it must be started again when its configuration or a file with hooks changes', async () => {
    for (const [name, text] of [
      ['zeromq-gateway.yaml', 'dev: {}\n'],
      ['hooks.ts', `${HOOKS}\n`],
    ] as const) {
      const output = await project.save(name, text, /start dev again to use it$/m);
      assert.equal(output, `${name} changed: start dev again to use it\n`);
    }
  });
});

describe('dev: a worker that cannot be loaded at the start', () => {
  const scope = new Scope();
  let project: DevProject;
  let line: string;
  before(async () => {
    project = new DevProject(scope, {
      'workers/shop.ts': 'export default 1;\n',
      'a.env': 'LEVEL=a\n',
      'b.env': 'LEVEL=b\n',
      'data.txt': 'one',
    });
    line = await project.start(['--env-file', 'a.env', '--env-file', 'b.env', '--watch', 'data.txt']);
  });
  after(() => scope.close());

  it('is served once it is fixed', async () => {
    assert.match(line, /workers shop\.ts/);
    assert.match(
      project.node.stderr,
      /cannot load workers\/shop\.ts; its routes are not served\n.*the default export/,
    );
    const head = "import { readFileSync } from 'node:fs';";
    const answer = "{ id, level: process.env['LEVEL'], text: readFileSync('data.txt', 'utf8') }";
    await project.save('workers/shop.ts', workerText('shop', answer, { head }));
    assert.equal((await project.get('/shop/1')).status, 200);
  });

  it('reads the files of --env-file in order, and is reloaded when a file of --watch changes', async () => {
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'b', text: 'one' });
    await project.save('data.txt', 'two');
    assert.deepEqual((await project.get('/shop/1')).body, { id: '1', level: 'b', text: 'two' });
  });
});
