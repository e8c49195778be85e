/**
 * Extracts the prose of a file: comments, string literals and paragraphs. Everything else is
 * masked, so line numbers stay the same. {@link findPhrases} checks the prose against
 * prose-phrases.yml.
 *
 * prh runs directly instead of as a textlint rule. textlint reads the phrases again for each of
 * about 900 files, which takes 10 s, and it has no parser for the comments and strings of
 * TypeScript.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseMarkdown } from '@textlint/markdown-to-ast';
import { fromYAMLFilePath } from 'prh';
import ts from 'typescript';

export interface Finding {
  /** Line number, counted from 1. */
  line: number;
  phrase: string;
  /** What to write instead. */
  advice: string;
}

type Span = readonly [start: number, end: number];

/**
 * Replaces text other than prose. It is neither a word character nor a space, so no phrase matches
 * across it.
 */
const MASK = '·';

const CODE = new Set(['.ts', '.mts', '.mjs', '.js']);

const phrases = fromYAMLFilePath(fileURLToPath(new URL('./prose-phrases.yml', import.meta.url)));

function masked(text: string): string {
  return text.replace(/[^\n]+/g, MASK);
}

/** Returns `text` with everything outside `spans` masked. */
function keepOnly(text: string, spans: readonly Span[]): string {
  let result = '';
  let end = 0;
  for (const [from, to] of spans) {
    result += masked(text.slice(end, from)) + text.slice(from, to);
    end = to;
  }
  return result + masked(text.slice(end));
}

/** Masks code inside prose: fenced blocks and `inline code`. */
function withoutCode(text: string): string {
  return text.replace(/```[^]*?```|`[^`\n]*`/g, masked);
}

/**
 * Replaces the marks of a comment by spaces. A ` * ` at the start of a line would separate the
 * words of a phrase.
 */
function withoutMarks(comment: string): string {
  return comment.replace(/^[ \t]*(?:\/\*\*?|\*\/|\*|\/\/|#)/gm, ' ');
}

/**
 * Returns the spans of literals, which may contain `//`, with the part of each that is text.
 * Regular expressions have no text.
 */
function literals(source: ts.SourceFile): { span: Span; text?: Span }[] {
  const found: { span: Span; text?: Span }[] = [];
  const visit = (node: ts.Node): void => {
    const start = node.getStart(source);
    const span: Span = [start, node.end];
    if (ts.isRegularExpressionLiteral(node)) found.push({ span });
    else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
      found.push({ span, text: [start + 1, node.end - 1] });
    else if (ts.isTemplateHead(node) || ts.isTemplateMiddle(node))
      found.push({ span, text: [start + 1, node.end - 2] });
    else if (ts.isTemplateTail(node)) found.push({ span, text: [start + 1, node.end - 1] });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.sort((a, b) => a.span[0] - b.span[0]);
}

/**
 * Returns the comments between `from` and `to`. There must be no literal in between, so that `//`
 * and `/*` always begin a comment.
 */
function comments(text: string, from: number, to: number): Span[] {
  const mark = /\/\/[^\n]*|\/\*[^]*?\*\//g;
  const between = text.slice(from, to);
  return [...between.matchAll(mark)].map(
    (match): Span => [from + match.index, from + match.index + match[0].length],
  );
}

/**
 * Returns the prose of code. Consecutive line comments form one paragraph if there is only white
 * space between them.
 */
function proseOfCode(text: string): string {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  const spans: Span[] = [];
  const add = (found: Span[]) => {
    for (const span of found) {
      const last = spans.at(-1);
      const joins = last && text.startsWith('//', last[0]) && /^\n[ \t]*$/.test(text.slice(last[1], span[0]));
      if (last && joins) spans[spans.length - 1] = [last[0], span[1]];
      else spans.push(span);
    }
  };
  let end = 0;
  for (const { span, text: inner } of literals(source)) {
    add(comments(text, end, span[0]));
    if (inner) spans.push(inner);
    end = span[1];
  }
  add(comments(text, end, text.length));
  return withoutCode(withoutMarks(keepOnly(text, spans)));
}

/**
 * Returns the text of paragraphs, headings, lists and tables. HTML is included because its comments
 * can allow a phrase.
 */
function proseOfMarkdown(text: string): string {
  const spans: Span[] = [];
  const visit = (node: { type: string; range: readonly [number, number]; children?: unknown }): void => {
    if (node.type === 'Str' || node.type === 'Html' || node.type === 'HtmlBlock') spans.push(node.range);
    else for (const child of (node.children ?? []) as (typeof node)[]) visit(child);
  };
  visit(parseMarkdown(text));
  return keepOnly(text, spans);
}

/**
 * Returns the prose of a file, depending on its extension. YAML, Python, shell and HTML are treated
 * as text with comment marks.
 */
export function proseOf(file: string, text: string): string {
  const extension = path.extname(file);
  if (CODE.has(extension)) return proseOfCode(text);
  if (extension === '.md') return proseOfMarkdown(text);
  return withoutCode(withoutMarks(text));
}

/** Returns the phrases of prose-phrases.yml that the prose of a file contains. */
export function findPhrases(file: string, text: string): Finding[] {
  const prose = proseOf(file, text);
  return phrases.makeChangeSet(file, prose).diffs.map(({ index, matches, expected }) => {
    return {
      line: prose.slice(0, index).split('\n').length,
      phrase: (matches[0] ?? '').replace(/\s+/g, ' ').trim(),
      advice: expected ?? '',
    };
  });
}
