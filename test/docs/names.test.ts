/** The pages of a public entry name every export, and every member of the exported classes. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { ROOT, readPage, readTopic } from './pages.ts';

/** Public entries, each with the topic whose pages document it. */
const ENTRIES = {
  'src/index.ts': 'framework',
  'src/gateway/index.ts': 'gateway',
  'src/testing/index.ts': 'framework',
};

/** Returns the names that a file exports. */
function namesOf(file: string): string[] {
  const source = ts.createSourceFile(file, readPage(file), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) return [];
    return ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map(({ name }) => name.text)
      : [];
  });
}

for (const [entry, topic] of Object.entries(ENTRIES)) {
  test(`docs/${topic}: names every export of ${path.dirname(entry)}`, () => {
    const text = readTopic(topic) + readPage('docs/errors.md');
    const names = namesOf(entry);
    assert.ok(names.length > 5, 'the entry was not read');
    assert.deepEqual(
      names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
      [],
    );
  });
}

/** Members for other parts of the framework, which users do not need. */
const INTERNAL = [
  'ZeroMQHeartbeatConfig.destinations',
  'ZeroMQRouter.register',
  'ZeroMQServer.capacity',
  'ZeroMQServer.execute',
  'ZeroMQTCPConnection.isIPv6',
  'ZeroMQWorker.capacity',
  'ZeroMQWorker.execute',
  'ZeroMQWorker.routerAccess',
  'ZeroMQWorker.useRouters',
  'ZeroMQWorker.linkConnected',
  'ZeroMQWorker.linkDisconnected',
  'ZeroMQWorker.linkAnswered',
  'ZeroMQWorker.reportsRefusal',
  'ZeroMQWorker.embeddedRouterAnswered',
];

/** Returns the members of the public classes and interfaces of this project, as `Name.member`. */
function membersOf(entry: string): string[] {
  const file = path.join(ROOT, entry);
  const config = ts.getParsedCommandLineOfConfigFile(path.join(ROOT, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (fault) => assert.fail(JSON.stringify(fault.messageText)),
  });
  const program = ts.createProgram([file], config?.options ?? {});
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  assert.ok(module, `${entry} exports nothing`);
  return checker.getExportsOfModule(module).flatMap((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (!(target.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) return [];
    return checker
      .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(target))
      .filter((member) => isOurs(member) && /^[a-z]/i.test(member.name) && !member.name.startsWith('__'))
      .map((member) => `${symbol.name}.${member.name}`);
  });
}

/** Whether a member is declared in src and neither private nor protected. */
function isOurs(member: ts.Symbol): boolean {
  return (member.declarations ?? []).some((declaration) => {
    const flags = ts.getCombinedModifierFlags(declaration);
    const hidden = flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
    return !hidden && declaration.getSourceFile().fileName.startsWith(path.join(ROOT, 'src/'));
  });
}

test('docs/framework: names every member of the exported classes and options', () => {
  const text = readTopic('framework') + readPage('docs/errors.md');
  const members = membersOf('src/index.ts');
  assert.ok(members.length > 150, `only ${members.length} members were found`);
  assert.deepEqual(
    members.filter((each) => !new RegExp(`\\b${each.split('.')[1]}\\b`).test(text)).sort(),
    [...INTERNAL].sort(),
  );
});
