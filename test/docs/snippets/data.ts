/** Tests of blocks that are parsed, and of the languages of all blocks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { parse as parseYaml } from 'yaml';
import type { CodeBlock } from '../pages.ts';
import { nameOf } from './blocks.ts';

/** Languages that cannot be run. */
const STATIC_LANGUAGES = ['', 'text', 'ini', 'diff'];
const KNOWN_LANGUAGES = [...STATIC_LANGUAGES, 'ts', 'sh', 'json', 'yaml', 'python'];

const PARSE_PYTHON = 'import ast, sys; ast.parse(sys.stdin.read())';

export function testData(blocks: readonly CodeBlock[]): void {
  describe('data blocks', () => {
    for (const block of blocks) {
      it(`${nameOf(block)} parses`, () => {
        assert.ok((block.language === 'json' ? JSON.parse(block.text) : parseYaml(block.text)) !== undefined);
      });
    }
  });
}

export function testPython(blocks: readonly CodeBlock[]): void {
  const installed = spawnSync('python3', ['--version']).status === 0;
  describe('python blocks', installed ? {} : { skip: 'python3 is not installed' }, () => {
    for (const block of blocks) {
      it(`${nameOf(block)} parses`, () => {
        const options = { input: block.text, encoding: 'utf8' } as const;
        const { status, stderr } = spawnSync('python3', ['-c', PARSE_PYTHON], options);
        assert.equal(status, 0, stderr);
      });
    }
  });
}

export function testLanguages(blocks: readonly CodeBlock[]): void {
  it('code blocks: each has a known language', () => {
    const unknown = blocks.filter(
      ({ language, noRun }) => !KNOWN_LANGUAGES.includes(language) && noRun === undefined,
    );
    assert.deepEqual(unknown.map(nameOf), []);
  });
}
