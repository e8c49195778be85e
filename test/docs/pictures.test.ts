/** Pictures are shown everywhere the pages are read, including npm and the site, which do not render Mermaid. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeBlocks, PAGES, ROOT, readPage } from './pages.ts';

const drawings = readdirSync(path.join(ROOT, 'docs/images')).filter((name) => name.endsWith('.svg'));

test('pictures: no page contains the source code of a diagram', () => {
  const shown = PAGES.flatMap((page) => codeBlocks(page));
  const sources = shown.filter(({ language }) => /^(mermaid|dot|plantuml|d2)$/.test(language));
  assert.deepEqual(
    sources.map(({ page, line }) => `${page}:${line}`),
    [],
  );
});

for (const name of drawings) {
  test(`docs/images/${name}: has a description and a background, and loads nothing`, () => {
    const text = readPage(`docs/images/${name}`);
    const [, size = ''] = /viewBox="0 0 (\d+ \d+)"/.exec(text) ?? [];
    const [width, height] = size.split(' ');
    assert.match(text, /role="img" aria-labelledby/);
    assert.match(text, /<title id="\w+">.{10,}<\/title>\s*<desc id="\w+">.{40,}<\/desc>/);
    assert.match(
      text,
      new RegExp(`<rect width="${width}" height="${height}"[^>]* fill="#`),
      'an opaque background',
    );
    assert.doesNotMatch(
      text.replace('http://www.w3.org/2000/svg', ''),
      /https?:|@import|<script|<image|<use/,
    );
  });
}
