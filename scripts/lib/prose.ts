/**
 * The prose of a file: its comments, string literals and paragraphs. Everything else is masked, and the lines keep their
 * numbers. {@link findPhrases} checks the prose against prose-phrases.yml.
 *
 * prh runs directly and not as a rule of textlint: textlint reads the phrases again for each of about 900 files, which
 * takes 10 s, and it has no parser for the comments and strings of TypeScript.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseMarkdown } from '@textlint/markdown-to-ast';
import { fromYAMLFilePath } from 'prh';
import ts from 'typescript';

export interface Finding {
  /** Counted from 1. */
  line: number;
  phrase: string;
  /** What to write instead. */
  advice: string;
}

type Span = readonly [start: number, end: number];

/** Masks what is not prose. It is neither a word character nor a space, so no phrase matches across it. */
const MASK = '·';

const CODE = new Set(['.ts', '.mts', '.mjs', '.js']);

const phrases = fromYAMLFilePath(fileURLToPath(new URL('./prose-phrases.yml', import.meta.url)));

function masked(text: string): string {
  return text.replace(/[^\n]+/g, MASK);
}

/** `text` with everything outside `spans` masked. */
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

/** A comment without its marks: ` * ` at the start of a line would separate the words of a phrase. */
function withoutMarks(comment: string): string {
  return comment.replace(/^[ \t]*(?:\/\*\*?|\*\/|\*|\/\/|#)/gm, ' ');
}

/** Spans of literals that may contain `//`, with the part of each that is text; regular expressions have none. */
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

/** Comments between `from` and `to`, where no literal is: there `//` and `/*` always begin one. */
function comments(text: string, from: number, to: number): Span[] {
  const mark = /\/\/[^\n]*|\/\*[^]*?\*\//g;
  const between = text.slice(from, to);
  return [...between.matchAll(mark)].map(
    (match): Span => [from + match.index, from + match.index + match[0].length],
  );
}

/** Line comments that follow each other directly are one paragraph: the code between them is white space only. */
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

/** The text of paragraphs, headings, lists and tables; HTML for the comments that allow a phrase. */
function proseOfMarkdown(text: string): string {
  const spans: Span[] = [];
  const visit = (node: { type: string; range: readonly [number, number]; children?: unknown }): void => {
    if (node.type === 'Str' || node.type === 'Html' || node.type === 'HtmlBlock') spans.push(node.range);
    else for (const child of (node.children ?? []) as (typeof node)[]) visit(child);
  };
  visit(parseMarkdown(text));
  return keepOnly(text, spans);
}

/** The prose of a file by its name; YAML, Python, shell and HTML count as text with comment marks. */
export function proseOf(file: string, text: string): string {
  const extension = path.extname(file);
  if (CODE.has(extension)) return proseOfCode(text);
  if (extension === '.md') return proseOfMarkdown(text);
  return withoutCode(withoutMarks(text));
}

/** The phrases of prose-phrases.yml that a file's prose contains. */
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

/** The entry of the list for a file: its folder with `/` at the end, or a file of the project's own folder. */
export function entryOf(file: string): string {
  const folder = path.posix.dirname(file);
  return folder === '.' ? file : `${folder}/`;
}

/**
 * Compares files that have findings with the list of folders still to be rewritten.
 *
 * @returns `unlisted`: files with findings in no folder of the list; `clean`: entries of the list without findings
 */
export function compareWithList(
  dirtyFiles: readonly string[],
  list: readonly string[],
): { unlisted: string[]; clean: string[] } {
  const dirty = new Set(dirtyFiles.map(entryOf));
  return {
    unlisted: dirtyFiles.filter((file) => !list.includes(entryOf(file))),
    clean: list.filter((entry) => !dirty.has(entry)),
  };
}

/** The entries of a list file, without comments and empty lines. */
export function readList(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
