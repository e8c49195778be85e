// test:all: 10 s; ../unit/testing represents it
/** `zeromq-gateway/testing` in a project of its own, with the runner of Node.js and with vitest. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { within } from '../helpers/eventually.ts';
import { allowed } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = path.join(ROOT, 'node_modules');
const VITEST = path.join(MODULES, 'vitest/vitest.mjs');

/** Maximum CPU time, in milliseconds, of a test that loads the package and sends requests. */
const MAX_CPU = 1500;

const WORKER = `
import Joi from 'joi';
import { defineContract, defineWorker, ReplyError } from 'zeromq-gateway';

const contract = defineContract({
  name: 'stock',
  events: {
    'stock.get': {
      method: 'GET',
      path: '/stock/{item}',
      data: Joi.object({ item: Joi.string().required() }),
    },
  },
});

export default defineWorker({
  contract,
  handlers: {
    'stock.get': ({ item }) => {
      if (item !== 'bolt') throw new ReplyError(404, 'UNKNOWN_ITEM', 'unknown');
      return { item, left: 12 };
    },
  },
});
`;

const TEST = `
import assert from 'node:assert/strict';
import { testWorker } from 'zeromq-gateway/testing';
import stock from './stock.mjs';

test('stock', async () => {
  const worker = await testWorker(stock);
  const call = worker.call('stock.get', { item: 'bolt' }, { timeout: 1000 });
  assert.deepEqual(await call, { item: 'bolt', left: 12 });
  const response = await worker.fetch('/stock/nut');
  assert.equal(response.status, 404);
  assert.equal((await response.json()).code, 'UNKNOWN_ITEM');
  await worker.close();
  const { user, system } = process.cpuUsage();
  console.log('cpu ms', Math.round((user + system) / 1000));
});
`;

/** Creates a project with the built package and a test, as a user has it after \`npm install\`. */
function project(scope: Scope, runner: string): string {
  const folder = tempFolder(scope);
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(MODULES)) {
    if (name !== 'zeromq-gateway') symlinkSync(path.join(MODULES, name), path.join(modules, name));
  }
  const own = path.join(modules, 'zeromq-gateway');
  cpSync(path.join(ROOT, 'dist'), path.join(own, 'dist'), { recursive: true });
  cpSync(path.join(ROOT, 'package.json'), path.join(own, 'package.json'));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(folder, 'stock.mjs'), WORKER);
  writeFileSync(path.join(folder, 'stock.test.mjs'), `import { test } from '${runner}';\n${TEST}`);
  return folder;
}

async function run(scope: Scope, cwd: string, args: readonly string[]): Promise<string> {
  const env = { NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
  const child = startProcess(scope, process.execPath, args, { cwd, env });
  const { code } = await within(child.exited, 'the test of the project');
  const output = `${child.lines.join('\n')}\n${child.stderr}`;
  assert.equal(code, 0, output);
  return output;
}

test('testWorker: node:test runs a test of a worker file within the time of a start', async (t) => {
  const scope = scopeOf(t);
  const output = await run(scope, project(scope, 'node:test'), ['--test']);
  assert.match(output, /# pass 1\b/);
  const cpu = Number(/cpu ms (\d+)/.exec(output)?.[1]);
  assert.ok(cpu < allowed(MAX_CPU), output);
});

test('testWorker: vitest runs the same test', {
  skip: existsSync(VITEST) ? false : 'vitest is not installed',
}, async (t) => {
  const scope = scopeOf(t);
  const output = await run(scope, project(scope, 'vitest'), [VITEST, 'run', '--no-color']);
  assert.match(output, /Tests {2}1 passed/);
});
