/** Every public name is on the page that documents its entry. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { readPage } from './pages.ts';

const ENTRIES = { 'src/index.ts': 'docs/framework.md', 'src/gateway/index.ts': 'docs/gateway.md' };

/** Names of the export declarations of a file. */
function namesOf(file: string): string[] {
  const source = ts.createSourceFile(file, readPage(file), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) return [];
    return ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map(({ name }) => name.text)
      : [];
  });
}

for (const [entry, page] of Object.entries(ENTRIES)) {
  test(`${page} has every name of ${path.dirname(entry)}`, () => {
    const text = readPage(page) + readPage('docs/errors.md');
    const names = namesOf(entry);
    assert.ok(names.length > 10, 'the entry was not read');
    assert.deepEqual(
      names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
      [],
    );
  });
}
