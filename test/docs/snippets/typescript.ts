/** Tests of `ts` blocks: they type-check, run, and end by themselves. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import ts from 'typescript';
import { within } from '../../helpers/eventually.ts';
import { startProcess } from '../../helpers/processes.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { type CodeBlock, ROOT } from '../pages.ts';
import { EXAMPLE_TIMEOUT, nameOf, skip } from './blocks.ts';

/** Writes blocks into a folder of the project, so that their imports resolve to its packages. */
function writeBlocks(cleanup: Scope, blocks: readonly CodeBlock[]): Map<CodeBlock, string> {
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

function typeErrors(roots: readonly string[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(path.join(ROOT, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (fault) => assert.fail(JSON.stringify(fault.messageText)),
  });
  const program = ts.createProgram([...roots], config?.options ?? {});
  const sources = roots.flatMap((root) => program.getSourceFile(root) ?? []);
  const errors = sources.flatMap((source) => [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ]);
  return errors.map(({ file, start = 0, messageText }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
    return `${path.relative(ROOT, file?.fileName ?? '')}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
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
  let files: ReadonlyMap<CodeBlock, string> = new Map();

  describe('ts blocks', () => {
    before(() => {
      files = writeBlocks(scope, blocks);
    });
    after(() => scope.close());

    it('ts blocks: all type-check', () => assert.deepEqual(typeErrors([...files.values()]), []));

    describe('ts blocks run', { concurrency: 2 }, () => {
      for (const block of blocks) {
        it(nameOf(block), skip(block), async (t) => {
          const options = { cwd: ROOT, env: { ZMQ_GATEWAY_DATA: tempFolder(scopeOf(t)) } };
          const args = ['--import', 'tsx', files.get(block) ?? ''];
          const example = startProcess(scopeOf(t), process.execPath, args, options);
          const { code } = await within(example.exited, 'the end of the example', EXAMPLE_TIMEOUT);
          assert.equal(code, 0, example.stderr);
          assert.doesNotMatch(example.stderr, /Warning/);
          assertPrinted(block, example.lines);
        });
      }
    });
  });
}
