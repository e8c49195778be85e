/** Links and anchors in README.md and docs/ have targets, and the pages that the sources name exist. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { PAGES, ROOT, readPage } from './pages.ts';

/** Returns a page without its code blocks, which contain no links or headings. */
function withoutCode(source: string): string {
  return source.replace(/^ *```[^]*?^ *```$/gm, '');
}

/** Returns the anchors that GitHub generates for the headings of a page. */
function anchors(source: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of withoutCode(source).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replace(/ /g, '-');
    let anchor = slug;
    for (let count = 1; found.has(anchor); count += 1) anchor = `${slug}-${count}`;
    found.add(anchor);
  }
  for (const [, id = ''] of source.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

/** Returns the targets of all links and images of a page, except links to other sites. */
function localLinks(source: string): string[] {
  const text = withoutCode(source).replace(/`[^`\n]*`/g, '');
  const inline = [...text.matchAll(/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g)];
  const named = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...named].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/i.test(target));
}

/** Returns the broken links of a page. */
function broken(page: string, source: string): string[] {
  return localLinks(source).flatMap((target) => {
    const [file = '', anchor] = target.split('#');
    const absolute = file === '' ? path.join(ROOT, page) : path.resolve(ROOT, path.dirname(page), file);
    if (file !== '' && !existsSync(absolute)) return [`${page}: ${target}: there is no such file`];
    if (anchor === undefined || !absolute.endsWith('.md')) return [];
    const text = file === '' ? source : readFileSync(absolute, 'utf8');
    return anchors(text).has(anchor) ? [] : [`${page}: ${target}: there is no such heading`];
  });
}

for (const page of PAGES) {
  test(`links of ${page}: all have targets`, () => assert.deepEqual(broken(page, readPage(page)), []));
}

test('links: broken ones are reported', () => {
  const source = '# One `two`\n[a](#one-two) [b](../README.md) [c](#three) [d](nowhere.md)\n';
  assert.deepEqual(broken('docs/x.md', source), [
    'docs/x.md: #three: there is no such heading',
    'docs/x.md: nowhere.md: there is no such file',
  ]);
});

test('links: the pages that the sources name exist', () => {
  const names = ['src', 'scripts', 'openapi', 'workers'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs|py|yaml)$/.test(name))
      .map((name) => path.join(folder, name)),
  );
  const missing = names.flatMap((name) =>
    [...readPage(name).matchAll(/\bdocs\/(?:[\w-]+\/)*[\w-]+\.md\b/g)]
      .filter(([page]) => !existsSync(path.join(ROOT, page)))
      .map(([page]) => `${name}: ${page}`),
  );
  assert.deepEqual(missing, []);
});
