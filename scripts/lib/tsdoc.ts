/**
 * Checks the TSDoc of a public entry: every export and every public member has a description, every
 * option has `@defaultValue`, and everything that throws has `@throws`.
 *
 * typedoc's validation supports only the first of these three. eslint-plugin-jsdoc does not know
 * the exports of an entry and needs Node 22; eslint-plugin-tsdoc checks syntax only.
 */
import ts from 'typescript';

export interface TsdocFinding {
  /** The exported name. */
  name: string;
  /** The name with its member, as in `ZeroMQClient.close`. */
  place: string;
  missing: 'sentence' | '@defaultValue' | '@throws';
}

/** Interfaces whose optional properties are options. */
const OPTIONS = /(?:Options|Settings|SettingsInput|Limits|Timeouts)$/;

interface Context {
  checker: ts.TypeChecker;
  /** The exports with their public names. */
  exported: ReadonlyMap<ts.Symbol, string>;
  findings: TsdocFinding[];
}

function isHidden(member: ts.Symbol): boolean {
  const declaration = member.valueDeclaration ?? member.declarations?.[0];
  if (!declaration || declaration.getSourceFile().fileName.includes('/node_modules/')) return true;
  // Skips `#private` members and members with a symbol as name, such as [Symbol.asyncDispose],
  // which editors do not complete.
  const name = ts.getNameOfDeclaration(declaration);
  if (name && (ts.isPrivateIdentifier(name) || ts.isComputedPropertyName(name))) return true;
  if (ts.getJSDocTags(declaration).some((tag) => tag.tagName.text === 'internal')) return true;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (ts.getCombinedModifierFlags(declaration) & hidden) !== 0;
}

function hasTag(symbol: ts.Symbol, name: string, { checker }: Context): boolean {
  return symbol.getJsDocTags(checker).some((tag) => tag.name === name);
}

function hasSentence(symbol: ts.Symbol, { checker }: Context): boolean {
  if (ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== '') return true;
  return symbol.getJsDocTags(checker).some((tag) => tag.name === 'inheritDoc');
}

function isThrows(tag: ts.JSDocTag): boolean {
  return tag.tagName.text === 'throws';
}

/**
 * Whether a function throws: in its own body, in a function of the same file, or in a function
 * of the project whose TSDoc has `@throws`. Declaration files of TypeScript and of packages do not
 * count.
 */
function throwsIn(body: ts.Node, context: Context, seen = new Set<ts.Node>()): boolean {
  if (seen.has(body)) return false;
  seen.add(body);
  const file = body.getSourceFile();
  const visit = (node: ts.Node): boolean => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
    if (ts.isThrowStatement(node)) return true;
    if (ts.isTryStatement(node) && node.catchClause) {
      return visit(node.catchClause) || (node.finallyBlock !== undefined && visit(node.finallyBlock));
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      if (node.expression.getText() === 'Promise.reject') return true;
      const called = context.checker.getResolvedSignature(node)?.declaration;
      const calledBody = called && 'body' in called ? called.body : undefined;
      if (calledBody && called?.getSourceFile() === file && throwsIn(calledBody, context, seen)) return true;
      if (called && !called.getSourceFile().isDeclarationFile && ts.getJSDocTags(called).some(isThrows))
        return true;
    }
    return ts.forEachChild(node, (child) => visit(child) || undefined) ?? false;
  };
  return visit(body);
}

function bodiesOf(symbol: ts.Symbol): ts.Node[] {
  return (symbol.declarations ?? []).flatMap((declaration) => {
    if (ts.isFunctionLike(declaration) && 'body' in declaration && declaration.body)
      return [declaration.body];
    const value = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
    return value && (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) ? [value.body] : [];
  });
}

function checkSymbol(symbol: ts.Symbol, name: string, place: string, context: Context): void {
  const isConstructor = symbol.name === '__constructor';
  if (!isConstructor && !hasSentence(symbol, context))
    context.findings.push({ name, place, missing: 'sentence' });
  if (!hasTag(symbol, 'throws', context) && bodiesOf(symbol).some((body) => throwsIn(body, context)))
    context.findings.push({ name, place, missing: '@throws' });
}

function checkMember(member: ts.Symbol, name: string, context: Context): void {
  if (isHidden(member)) return;
  const place = member.name === '__constructor' ? `new ${name}` : `${name}.${member.name}`;
  checkSymbol(member, name, place, context);
  const isOption = OPTIONS.test(name) && (member.flags & ts.SymbolFlags.Optional) !== 0;
  if (isOption && !hasTag(member, 'defaultValue', context))
    context.findings.push({ name, place, missing: '@defaultValue' });
}

/**
 * Returns the members of an export, including those inherited from a base class that is not
 * exported.
 */
function membersOf(symbol: ts.Symbol, { checker, exported }: Context): ts.Symbol[] {
  const isClass = (symbol.flags & ts.SymbolFlags.Class) !== 0;
  const isLiteral = symbol.declarations?.some(
    (declaration) => ts.isTypeAliasDeclaration(declaration) && ts.isTypeLiteralNode(declaration.type),
  );
  if (!isClass && !(symbol.flags & ts.SymbolFlags.Interface) && !isLiteral) return [];
  const properties = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
  const own = properties.filter((property) => {
    const parent = (property as ts.Symbol & { parent?: ts.Symbol }).parent;
    return parent === undefined || parent === symbol || !exported.has(parent);
  });
  const constructors = [...(symbol.members?.values() ?? [])].filter(({ name }) => name === '__constructor');
  const statics = isClass
    ? [...(symbol.exports?.values() ?? [])].filter(({ name }) => name !== 'prototype')
    : [];
  return [...own, ...constructors, ...statics];
}

/** Returns what is missing in the TSDoc of everything that `entries` export. */
export function checkTsdoc(entries: readonly string[], options: ts.CompilerOptions): TsdocFinding[] {
  const program = ts.createProgram([...entries], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const exported = new Map<ts.Symbol, string>();
  for (const entry of entries) {
    const source = program.getSourceFile(entry);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${entry} exports nothing`);
    for (const symbol of checker.getExportsOfModule(module)) {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
      if (!exported.has(target) && !isHidden(target)) exported.set(target, symbol.name);
    }
  }
  const context: Context = { checker, exported, findings: [] };
  for (const [symbol, name] of exported) {
    checkSymbol(symbol, name, name, context);
    for (const member of membersOf(symbol, context)) checkMember(member, name, context);
  }
  return context.findings;
}
