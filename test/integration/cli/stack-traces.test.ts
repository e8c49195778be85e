// test:all: 15 s; test/unit/worker/stack-traces.test.ts represents it
/** Messages and stacks of worker modules: they show the line of the source, compiled or not. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { type Cleanup, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const PACKAGE = JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href);

/** The third line of the handler throws. */
const FAILING = `import { defineContract, defineWorker } from ${PACKAGE};

interface Data {
  id: number;
}

const contract = defineContract({ name: 'fails', events: { 'fails.get': { method: 'GET', path: '/fails' } } });

export default defineWorker({
  contract,
  handlers: {
    'fails.get': (data): Data => {
      if (data === undefined) return { id: 1 };
      throw new Error('planted');
    },
  },
});
`;
const FAILING_LINE = 14;

/** The path is broken; the call begins in its fourth line. */
const BROKEN = `import { defineContract, defineWorker } from ${PACKAGE};

type Name = string;
const contract = defineContract({ name: 'things' as Name, events: { 'things.get': { method: 'GET', path: '/things/{id' } } });
export default defineWorker({ contract, handlers: { 'things.get': () => 1 } });
`;
const BROKEN_LINE = 4;

/** Writes a worker, as TypeScript or compiled with a source map; returns its folder and both names. */
function write(cleanup: Cleanup, source: string, compiled: boolean): { folder: string; origin: string } {
  const folder = tempFolder(cleanup);
  const origin = path.join(folder, 'src', 'worker.ts');
  if (!compiled) {
    const file = path.join(folder, 'worker.ts');
    writeFileSync(file, source);
    return { folder, origin: file };
  }
  mkdirSync(path.join(folder, 'src'));
  writeFileSync(origin, source);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, sourceMap: true };
  const { outputText, sourceMapText = '' } = ts.transpileModule(source, {
    compilerOptions,
    fileName: 'worker.mts',
  });
  const map = { ...(JSON.parse(sourceMapText) as object), sources: ['src/worker.ts'] };
  const file = path.join(folder, 'worker.mjs');
  writeFileSync(file, outputText);
  writeFileSync(`${file}.map`, JSON.stringify(map));
  return { folder, origin };
}

for (const [what, compiled] of [
  ['TypeScript', false],
  ['compiled with a source map', true],
] as const) {
  describe(`stacks of a worker module, ${what}`, () => {
    it(`stacks, ${what}: the log of a failed handler, in a thread, shows its line`, async (t) => {
      const scope = scopeOf(t);
      const { folder, origin } = write(scope, FAILING, compiled);
      const args = ['up', '--workers', folder, '--port', '0', ...FREE_PORTS];
      const { node, line } = await startNode(scope, args, { cwd: folder });
      assert.equal((await fetch(`${urlIn(line)}/fails`)).status, 500);
      await node.waitForError(/a handler failed/);
      assert.ok(node.stderr.includes(`${origin}:${FAILING_LINE}:`), node.stderr);
    });

    it(`stacks, ${what}: a broken contract is reported with its file, line, event and remedy`, async (t) => {
      const scope = scopeOf(t);
      const { folder, origin } = write(scope, BROKEN, compiled);
      const { code, stderr } = await runCommand(
        scope,
        ['up', '--workers', folder, '--port', '0', ...FREE_PORTS],
        {
          cwd: folder,
        },
      );
      assert.equal(code, 2);
      assert.match(
        stderr,
        /things: GET \/things\/\{id: event things\.get: \{id is not a parameter \(did you mean \{id\}\?\)/,
      );
      assert.ok(stderr.includes(`at ${origin}:${BROKEN_LINE}:`), stderr);
    });
  });
}

describe('a worker module without joi', () => {
  it('stacks: names the package and both remedies', async (t) => {
    const scope = scopeOf(t);
    const { folder } = write(scope, `import Joi from 'joi';\nexport default Joi.object();\n`, false);
    const { code, stderr } = await runCommand(
      scope,
      ['up', '--workers', folder, '--port', '0', ...FREE_PORTS],
      {
        cwd: folder,
      },
    );
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Cannot find (?:package|module) 'joi'.*; import \{ Joi \} from 'zeromq-gateway' instead, or run npm install joi/,
    );
  });
});
