// test:all: 20 s; ../gateway-hooks.test.ts represents it
/** `--hooks FILE` of the commands that run a gateway. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const GATEWAY = JSON.stringify(new URL('../../../dist/gateway/index.js', import.meta.url).href);
const GATEWAY_COMMAND = ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', '0'];
const UP = ['up', '--port', '0', '--admin', 'off', ...FREE_PORTS];

/** A folder with files. */
function folderOf(t: TestContext, files: Record<string, string>): string {
  const folder = tempFolder(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

describe('--hooks', () => {
  it('up: loads hooks from TypeScript and JavaScript files, the first outermost', async (t) => {
    const cwd = folderOf(t, {
      'outer.ts': `
        import { defineHooks, type HookReply } from ${GATEWAY};
        const mark = (reply: HookReply, name: string): void => {
          reply.headers['x-order'] = String(reply.headers['x-order'] ?? '') + name;
        };
        export default [
          defineHooks({ onReply: (reply) => mark(reply, 'a') }),
          defineHooks({ onReply: (reply) => mark(reply, 'b') }),
        ];`,
      'inner.cjs': `
        module.exports = {
          onReply(reply) { reply.headers['x-order'] = 'c'; },
          onProblem: async (problem) => { problem.detail = 'changed'; },
        };`,
    });
    const { line } = await startNode(scopeOf(t), [...UP, '--hooks', 'outer.ts', '--hooks', 'inner.cjs'], {
      cwd,
    });
    const response = await fetch(`${urlIn(line)}/echo/hi`);
    assert.deepEqual([response.status, response.headers.get('x-order')], [200, 'cba']);
    const problem = (await (await fetch(`${urlIn(line)}/nothing`)).json()) as { detail: string };
    assert.equal(problem.detail, 'changed');
  });

  it('gateway: each of several processes loads them', async (t) => {
    const cwd = folderOf(t, {
      'hooks.mjs': `export default { onProblem: (problem) => ({ status: 404, data: { pid: process.pid } }) };`,
    });
    const args = [...GATEWAY_COMMAND, '--processes', '2', '--hooks', 'hooks.mjs'];
    const { line, node } = await startNode(scopeOf(t), args, { cwd });
    const pids = new Set<number>();
    while (pids.size < 2) {
      const response = await fetch(`${urlIn(line)}/nothing`, { headers: { connection: 'close' } });
      pids.add(((await response.json()) as { pid: number }).pid);
    }
    assert.ok(!pids.has(node.pid));
  });

  for (const [what, text, message] of [
    ['a syntax error', 'export default {', /^error: cannot load the hooks \S+hooks\.mjs: /m],
    [
      'no default export',
      'export const onReply = () => {};',
      /hooks\.mjs: the default export must be an object with onRequest, onEvent, onReply, onProblem, got undefined/,
    ],
    [
      'a misspelt hook',
      'export default { onRespond() {} };',
      /hooks\.mjs: the default export\.onRespond is not a hook; hooks are onRequest, onEvent, onReply, onProblem/,
    ],
    [
      'a hook that is not a function',
      'export default [{}, { onReply: 7 }];',
      /hooks\.mjs: the default export\[1\]\.onReply must be a function, got number/,
    ],
    ['no hooks', 'export default [];', /hooks\.mjs: the default export has no hooks/],
  ] as const) {
    it(`gateway: reports a file with ${what}`, async (t) => {
      const cwd = folderOf(t, { 'hooks.mjs': text });
      const { code, stderr } = await runCommandHere([...GATEWAY_COMMAND, '--hooks', 'hooks.mjs'], { cwd });
      assert.equal(code, 2);
      assert.match(stderr, message);
      assert.equal(stderr.match(/^error: /gm)?.length, 1, stderr);
    });
  }

  it('gateway: several processes report a file that cannot be loaded once', async (t) => {
    const cwd = folderOf(t, { 'hooks.mjs': 'export default {' });
    const args = [...GATEWAY_COMMAND, '--processes', '2', '--hooks', 'hooks.mjs'];
    const { code, stderr } = await runCommand(t, args, { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /^error: cannot load the hooks \S+hooks\.mjs: /m);
    assert.equal(stderr.match(/^error: /gm)?.length, 1, stderr);
  });

  it('gateway: rejects a file that does not exist', async () => {
    const { code, stderr } = await runCommandHere([...UP, '--hooks', 'none.ts']);
    assert.equal(code, 2);
    assert.match(stderr, /hooks: .*none\.ts.*allowed: one or more, each a file that exists/);
  });
});
