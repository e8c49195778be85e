/** The pages in docs/configuration/ equal what scripts/docs-configuration.ts generates, and their examples are valid. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { configurationPages, FOLDER } from '../../scripts/docs-configuration.ts';
import { COMMANDS } from '../../src/cli/program.ts';
import { readSettings, settingsSchema } from '../../src/gateway/common/settings-schema.ts';
import { codeBlocks, readPage } from './pages.ts';

const INDEX = 'docs/configuration/index.md';

test('docs/configuration: the reference pages are generated from the settings', async () => {
  const pages = await configurationPages();
  assert.deepEqual(
    readdirSync(FOLDER)
      .filter((name) => name !== 'index.md')
      .sort(),
    [...pages.keys()].sort(),
  );
  for (const [name, text] of pages) {
    const message = `${name} is not up to date; run: npx tsx scripts/docs-configuration.ts`;
    assert.equal(readPage(`docs/configuration/${name}`), text, message);
  }
});

test('docs/configuration: every HTTP setting has a row with a meaning', () => {
  const page = readPage('docs/configuration/http.md');
  const { keys } = settingsSchema.describe() as { keys: object };
  for (const name of Object.keys(keys)) assert.match(page, new RegExp(`^\\| \`${name}[.\`]`, 'm'));
  assert.doesNotMatch(page, /\| +\|$/m);
});

test('docs/configuration: every HTTP setting stands in a section of its topic', () => {
  assert.doesNotMatch(
    readPage('docs/configuration/http.md'),
    /^## Other$/m,
    'add the setting to SECTIONS in scripts/docs-configuration.ts',
  );
});

test('docs/configuration: the example is a valid configuration file', () => {
  const [example] = codeBlocks(INDEX).filter(({ language }) => language === 'yaml');
  const sections = parse(example?.text ?? '') as { gateway: { http: object } };
  for (const name of Object.keys(sections)) assert.ok(name in COMMANDS, name);
  assert.equal(readSettings(sections.gateway.http).auth.schemes['key']?.type, 'apiKey');
});
