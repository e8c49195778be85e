/** Tests of `ts` blocks: they run, and end by themselves. `types.test.ts` checks their types. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { transform } from 'esbuild';
import { within } from '../../helpers/eventually.ts';
import { startProcess } from '../../helpers/processes.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { type CodeBlock, ROOT } from '../pages.ts';
import { EXAMPLE_TIMEOUT, nameOf, skip } from './blocks.ts';

/**
 * Writes blocks into a folder of the project, so that their imports resolve to its packages and to
 * its build.
 */
export function writeBlocks(cleanup: Scope, blocks: readonly CodeBlock[]): Map<CodeBlock, string> {
  const cache = path.join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'snippets-'));
  cleanup.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = new Map<CodeBlock, string>();
  for (const block of blocks) {
    const home = path.join(folder, block.page.replace(/\W+/g, '-'));
    mkdirSync(home, { recursive: true });
    const file = path.join(home, block.file ?? `line-${block.line}.ts`);
    // `export {}` makes the block a module, so that its names do not clash with those of other blocks.
    writeFileSync(file, /^(import|export) /m.test(block.text) ? block.text : `${block.text}export {};\n`);
    files.set(block, file);
  }
  return files;
}

/** Compiles a block beside it, and returns the JavaScript file. Node.js starts it faster than TypeScript. */
async function compile(file: string, { text }: CodeBlock): Promise<string> {
  const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node20' });
  const compiled = file.replace(/ts$/, 'js');
  writeFileSync(compiled, code.replace(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"'));
  return compiled;
}

/** Asserts that each comment after `console.log(…)` equals a printed line. */
function assertPrinted({ text }: CodeBlock, lines: readonly string[]): void {
  const printed = [...text.matchAll(/console\.log\(.*\);(?:\n *| +)\/\/ (.+)$/gm)].map(
    ([, output]) => output,
  );
  for (const output of printed)
    assert.ok(lines.includes(output ?? ''), `${output} is not among:\n${lines.join('\n')}`);
}

export function testTypeScript(blocks: readonly CodeBlock[]): void {
  const scope = new Scope();
  const files = new Map<CodeBlock, string>();

  describe('ts blocks', { concurrency: 2 }, () => {
    before(async () => {
      for (const [block, file] of writeBlocks(scope, blocks)) files.set(block, await compile(file, block));
    });
    after(() => scope.close());

    for (const block of blocks) {
      it(nameOf(block), skip(block), async (t) => {
        const options = { cwd: ROOT, env: { ZMQ_GATEWAY_DATA: tempFolder(scopeOf(t)) } };
        const example = startProcess(scopeOf(t), process.execPath, [files.get(block) ?? ''], options);
        const { code } = await within(example.exited, 'the end of the example', EXAMPLE_TIMEOUT);
        assert.equal(code, 0, example.stderr);
        assert.doesNotMatch(example.stderr, /Warning/);
        assertPrinted(block, example.lines);
      });
    }
  });
}
