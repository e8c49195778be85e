/** The `ts` blocks of all pages type-check, in one program, with the declarations of the package. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';
import ts from 'typescript';
import { scopeOf } from '../../helpers/scope.ts';
import { codeBlocks, PAGES, ROOT } from '../pages.ts';
import { writeBlocks } from './typescript.ts';

function typeErrors(roots: readonly string[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(path.join(ROOT, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (fault) => assert.fail(JSON.stringify(fault.messageText)),
  });
  // Without the paths of this project, the name of the package means what it means to a user.
  const program = ts.createProgram([...roots], { ...config?.options, paths: {} });
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

it('ts blocks: all type-check', (t) => {
  const blocks = PAGES.flatMap((page) => codeBlocks(page)).filter(({ language }) => language === 'ts');
  assert.ok(blocks.length > 50, String(blocks.length));
  assert.deepEqual(typeErrors([...writeBlocks(scopeOf(t), blocks).values()]), []);
});
