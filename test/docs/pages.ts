/** The pages of the documentation, and the code blocks in them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** README.md and the pages under docs/, relative to the project folder, without the generated API reference. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(api|\.vitepress)\//.test(name))
    .sort()
    .map((name) => `docs/${name}`),
];

/** A fenced code block. */
export interface CodeBlock {
  readonly page: string;
  /** Line of the opening fence, starting at 1. */
  readonly line: number;
  /** `ts`, `sh` …; empty if the fence names no language. */
  readonly language: string;
  /** Why the block is not run, from `no-run: reason` after the language. */
  readonly noRun: string | undefined;
  /** Name of the file that the block shows, from `` `hello.ts`: `` in the line above. */
  readonly file: string | undefined;
  readonly text: string;
}

export function readPage(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

/** Returns the text of a topic: `docs/<topic>.md` and the pages in `docs/<topic>/`. */
export function readTopic(topic: string): string {
  return PAGES.filter((page) => page === `docs/${topic}.md` || page.startsWith(`docs/${topic}/`))
    .map(readPage)
    .join('\n');
}

/** Returns all code blocks of a page. */
export function codeBlocks(page: string, source = readPage(page)): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = source.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const [, indent = '', info] = /^( *)```(.*)$/.exec(lines[index] ?? '') ?? [];
    if (info === undefined) continue;
    const start = index;
    const body: string[] = [];
    for (index += 1; index < lines.length && !/^ *```$/.test(lines[index] ?? ''); index += 1) {
      body.push((lines[index] ?? '').slice(indent.length));
    }
    if (index >= lines.length) throw new Error(`${page}:${start + 1}: the code block does not end`);
    const [, language = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(info) ?? [];
    const above = lines.slice(0, start).findLast((line) => line.trim() !== '') ?? '';
    blocks.push({
      page,
      line: start + 1,
      language,
      noRun: /^no-run: (.+)$/.exec(rest)?.[1],
      file: /`([\w-]+(?:\.\w+)+)`:$/.exec(above)?.[1],
      text: `${body.join('\n')}\n`,
    });
  }
  return blocks;
}
