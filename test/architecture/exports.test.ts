/**
 * The public exports of each entry, by kind, are those of exports.txt.
 *
 * After an intended change: `UPDATE_SNAPSHOTS=1 npm test -- test/architecture/exports`.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SNAPSHOT = fileURLToPath(new URL('./exports.txt', import.meta.url));
const ENTRIES = {
  'zeromq-gateway': 'src/index.ts',
  'zeromq-gateway/gateway': 'src/gateway/index.ts',
  'zeromq-gateway/testing': 'src/testing/index.ts',
};

function kindOf(symbol: ts.Symbol): string {
  const { flags } = symbol;
  if (flags & ts.SymbolFlags.Class) return 'class';
  if (flags & ts.SymbolFlags.Function) return 'function';
  if (flags & ts.SymbolFlags.Variable) return flags & ts.SymbolFlags.TypeAlias ? 'const and type' : 'const';
  if (flags & ts.SymbolFlags.Interface) return 'interface';
  if (flags & ts.SymbolFlags.TypeAlias) return 'type';
  throw new Error(`${symbol.name}: this test does not know the kind of the export`);
}

function exportsOf(): string {
  const config = ts.getParsedCommandLineOfConfigFile(`${ROOT}tsconfig.json`, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (fault) => assert.fail(JSON.stringify(fault.messageText)),
  });
  const program = ts.createProgram(
    Object.values(ENTRIES).map((file) => ROOT + file),
    config?.options ?? {},
  );
  const checker = program.getTypeChecker();
  const lines = Object.entries(ENTRIES).map(([entry, file]) => {
    const source = program.getSourceFile(ROOT + file);
    const module = source && checker.getSymbolAtLocation(source);
    assert.ok(module, `${file} exports nothing`);
    const names = checker.getExportsOfModule(module).map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return `  ${symbol.name}: ${kindOf(target)}`;
    });
    return [entry, ...names.sort()].join('\n');
  });
  return `${lines.join('\n\n')}\n`;
}

test('exports: the public names are those of exports.txt', () => {
  const found = exportsOf();
  if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(SNAPSHOT, found);
  assert.equal(found, readFileSync(SNAPSHOT, 'utf8'));
});
