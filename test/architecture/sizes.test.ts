/**
 * The limits on the size of source files and functions. eslint.config.js defines them, and this
 * test shows that they find what is larger.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint, Linter } from 'eslint';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Returns the rules of eslint.config.js that a source file with this text violates. */
async function broken(text: string): Promise<string[]> {
  const config = (await new ESLint({ cwd: ROOT }).calculateConfigForFile('src/index.ts')) as Linter.Config;
  const { 'max-lines': file, 'max-lines-per-function': perFunction } = config.rules ?? {};
  const rules = { 'max-lines': file, 'max-lines-per-function': perFunction } as Linter.RulesRecord;
  return new Linter().verify(text, [{ rules }]).map(({ ruleId }) => ruleId ?? 'parse error');
}

const functionOf = (lines: number) => `export function f() {\n${'f();\n'.repeat(lines - 2)}}\n`;

test('sizes: a source file of 350 lines and a function of 60 lines pass', async () => {
  assert.deepEqual(await broken('f();\n'.repeat(350)), []);
  assert.deepEqual(await broken(functionOf(60)), []);
});

test('sizes: a source file of 351 lines is reported, comments and empty lines included', async () => {
  assert.deepEqual(await broken(`// Comment.\n${'f();\n\n'.repeat(175)}`), ['max-lines']);
});

test('sizes: a function of 61 lines is reported', async () => {
  assert.deepEqual(await broken(functionOf(61)), ['max-lines-per-function']);
});
