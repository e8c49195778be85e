/**
 * docs/errors.md matches the catalogue. The tables and sections between its marks are generated from
 * `OUTCOMES` and `HTTP_PROBLEMS`; other codes on the page must be local codes that the sources use.
 * After an intended change: `UPDATE_SNAPSHOTS=1 npm test -- test/docs/errors`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OUTCOMES, type OutcomeDefinition } from '../../src/core/messages/outcome.ts';
import { HTTP_PROBLEMS } from '../../src/gateway/common/problem.ts';

const PAGE = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));
const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));

type Catalogue = Readonly<Record<string, OutcomeDefinition>>;

const RETRY: Readonly<Record<OutcomeDefinition['retry'], string>> = {
  safe: 'safe',
  'if-idempotent': 'only if idempotent',
  no: 'no',
  'if-not-dispatched': 'if not dispatched',
};

/** The catalogue as Markdown: a table, and a section for each code. */
function outcomesOf(catalogue: Catalogue): string {
  const dispatched = (value: boolean | undefined) => (value === undefined ? 'either' : value ? 'yes' : 'no');
  const rows = Object.entries(catalogue).map(([code, one]) => {
    const link = `[\`${code}\`](#${code.toLowerCase()})`;
    return `| ${link} | ${one.status} | ${dispatched(one.dispatched)} | ${RETRY[one.retry]} | ${one.title} |`;
  });
  const sections = Object.entries(catalogue).map(([code, { meaning, remedy }]) => {
    return `### ${code}\n\n${meaning}\n\n*Remedy:* ${remedy}`;
  });
  const head = '| code | HTTP status | dispatched | retry | title |\n|---|---|---|---|---|';
  return `${head}\n${rows.join('\n')}\n\n${sections.join('\n\n')}`;
}

function httpProblemsOf(): string {
  const rows = Object.entries(HTTP_PROBLEMS).map(([code, { status, title, remedy }]) => {
    return `| \`${code}\` | ${status} | ${title} | ${remedy} |`;
  });
  return `| code | HTTP status | title | what to do |\n|---|---|---|---|\n${rows.join('\n')}`;
}

function withBlock(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)];
  assert.ok(start >= 0 && stop > start, `docs/errors.md lacks the marks ${begin} and ${end}`);
  return `${page.slice(0, start + begin.length)}\n\n${text}\n\n${page.slice(stop)}`;
}

/** The page with its generated parts up to date. */
function rightPage(page: string, catalogue: Catalogue): string {
  return withBlock(withBlock(page, 'outcomes', outcomesOf(catalogue)), 'http', httpProblemsOf());
}

/** Codes that the sources use for errors outside the catalogue. */
function localCodes(): Set<string> {
  const codes = new Set<string>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(path.join(SOURCES, name), 'utf8');
    for (const [, code = ''] of text.matchAll(/(?:new ZeroMQ\w+|super)\(\s*'([A-Z][A-Z_]+)'/g))
      codes.add(code);
  }
  for (const code of Object.keys(OUTCOMES)) codes.delete(code);
  // Codes of the operating system are described together, below the table.
  for (const code of Object.keys(constants.errno)) codes.delete(code);
  return codes;
}

/** Codes that the text of the page names, outside code blocks. */
function codesOn(page: string): Set<string> {
  const text = page.replace(/^```[^]*?^```/gm, '');
  return new Set([...text.matchAll(/`([A-Z][A-Z_]{3,})`/g)].map(([, code = '']) => code));
}

/** The rows of the table of local codes. */
function localRows(page: string): Set<string> {
  const section = page.slice(page.indexOf('## Local codes'));
  return new Set([...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code = '']) => code));
}

test('docs/errors.md: shows the error catalogue verbatim', () => {
  const right = rightPage(readFileSync(PAGE, 'utf8'), OUTCOMES);
  if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(PAGE, right);
  assert.equal(readFileSync(PAGE, 'utf8'), right);
});

test('docs/errors.md: the check finds a missing code and a different text', () => {
  const page = readFileSync(PAGE, 'utf8');
  const planted: OutcomeDefinition = { ...OUTCOMES.TIMEOUT, title: 'Planted' };
  assert.notEqual(rightPage(page, { ...OUTCOMES, PLANTED: planted }), page);
  assert.notEqual(rightPage(page, { ...OUTCOMES, TIMEOUT: planted }), page);
  const { TIMEOUT: _left, ...fewer } = OUTCOMES;
  assert.notEqual(rightPage(page, fewer), page);
});

test('docs/errors.md: lists every local code of the sources', () => {
  const found = localCodes();
  assert.ok(found.has('NOT_STARTED') && found.has('INVALID_ARGUMENT'), 'the sources were not scanned');
  const rows = localRows(readFileSync(PAGE, 'utf8'));
  assert.deepEqual(
    [...found].filter((code) => !rows.has(code)),
    [],
  );
});

test('docs/errors.md: names only codes that exist', () => {
  const known = new Set([
    ...Object.keys(OUTCOMES),
    ...Object.keys(HTTP_PROBLEMS),
    ...localCodes(),
    ...Object.keys(constants.errno),
    'UNKNOWN',
    'ERROR',
  ]);
  const strange = (page: string) => [...codesOn(page)].filter((code) => !known.has(code));
  const page = readFileSync(PAGE, 'utf8');
  assert.deepEqual(strange(page), []);
  assert.deepEqual(strange(`${page}\nand \`PLANTED_CODE\``), ['PLANTED_CODE']);
});

/** Words with which a remedy may begin. */
const IMPERATIVE =
  /^(Add|Allow|Call|Check|Choose|Compute|Create|Fetch|Fix|Increase|No action needed|Pass|Remove|Report|Request|Retry|Send|Set|Start|The message names|Try|Use|Wait)\b/;

/** Returns why a text is not a usable message; undefined if it is. */
function lackOf(text: string): string | undefined {
  if (!/^[A-Z].*\.$/s.test(text)) return 'is not a sentence';
  return text.split(/\s+/).length < 3 ? 'says too little' : undefined;
}

test('error catalogue: every error states what happened, why, and what to do', () => {
  const faults: string[] = [];
  const texts = new Set<string>();
  const judge = (code: string, part: string, text: string) => {
    const lack =
      lackOf(text) ?? (part === 'remedy' && !IMPERATIVE.test(text) ? 'names no action' : undefined);
    if (lack !== undefined) faults.push(`${code}: the ${part} ${lack}: ${text}`);
    if (texts.has(text)) faults.push(`${code}: another error has the same ${part}`);
    texts.add(text);
  };
  for (const [code, { title, meaning, remedy }] of Object.entries(OUTCOMES as Catalogue)) {
    judge(code, 'title', `${title}.`);
    judge(code, 'meaning', meaning);
    judge(code, 'remedy', remedy);
  }
  for (const [code, { title, remedy }] of Object.entries(HTTP_PROBLEMS)) {
    if (!/^[A-Z]/.test(title)) faults.push(`${code}: ${title}`);
    judge(code, 'remedy', remedy);
  }
  const local = readFileSync(PAGE, 'utf8').matchAll(/^\| `([A-Z_]+)` \| `\w+` \| (.+?) \| (.+?) \|$/gm);
  for (const [, code = '', meaning = '', remedy = ''] of local) {
    if (lackOf(meaning) ?? lackOf(remedy)) faults.push(`${code}: ${meaning} ${remedy}`);
  }
  assert.deepEqual(faults, []);
  assert.ok(texts.size > 50, 'the catalogue was not read');
  assert.equal(lackOf('Try again.'), 'says too little');
  assert.equal(lackOf('no worker'), 'is not a sentence');
});
