// test:all: 40 s; readme.test.ts runs README.md, types.test.ts checks all
/** The code blocks of the pages in docs/ itself. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startProcess } from '../../helpers/processes.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { ROOT } from '../pages.ts';
import { testGroup } from './group.ts';

testGroup('top-level');

it('npx: finds the command in a clone', async (t) => {
  const npx = startProcess(scopeOf(t), 'npx', ['--no-install', 'zeromq-gateway', '--version'], { cwd: ROOT });
  assert.equal((await npx.exited).code, 0, npx.stderr);
});
