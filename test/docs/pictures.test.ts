/** Pictures are pictures wherever the pages are shown: on the site and on npm, which know no Mermaid, too. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeBlocks, PAGES, ROOT, readPage } from './pages.ts';

const drawings = readdirSync(path.join(ROOT, 'docs/images')).filter((name) => name.endsWith('.svg'));

test('no page has a diagram that is shown as source where it is read', () => {
  const shown = PAGES.flatMap((page) => codeBlocks(page));
  const sources = shown.filter(({ language }) => /^(mermaid|dot|plantuml|d2)$/.test(language));
  assert.deepEqual(
    sources.map(({ page, line }) => `${page}:${line}`),
    [],
  );
});

for (const name of drawings) {
  test(`docs/images/${name} says what it shows, fetches nothing and stands on light and dark pages`, () => {
    const text = readPage(`docs/images/${name}`);
    const [, size = ''] = /viewBox="0 0 (\d+ \d+)"/.exec(text) ?? [];
    const [width, height] = size.split(' ');
    assert.match(text, /role="img" aria-labelledby/);
    assert.match(text, /<title id="\w+">.{10,}<\/title>\s*<desc id="\w+">.{40,}<\/desc>/);
    assert.match(
      text,
      new RegExp(`<rect width="${width}" height="${height}"[^>]* fill="#`),
      'a ground of its own',
    );
    assert.doesNotMatch(
      text.replace('http://www.w3.org/2000/svg', ''),
      /https?:|@import|<script|<image|<use/,
    );
  });
}
