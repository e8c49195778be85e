/** docs/configuration.md is what scripts/docs-configuration.ts makes of the settings, and its examples are accepted. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { configurationPage, PAGE } from '../../scripts/docs-configuration.ts';
import { readSettings, settingsSchema } from '../../src/gateway/common/settings-schema.ts';
import { codeBlocks } from './pages.ts';

const page = readFileSync(PAGE, 'utf8');

test('docs/configuration.md is equal to what is made of the settings', async () => {
  assert.equal(page, await configurationPage(), 'run: npx tsx scripts/docs-configuration.ts');
});

test('it names every HTTP setting, with a meaning', () => {
  const { keys } = settingsSchema.describe() as { keys: object };
  for (const name of Object.keys(keys)) assert.match(page, new RegExp(`^\\| \`${name}[.\`]`, 'm'));
  assert.doesNotMatch(page, /\| +\|$/m);
});

test('its example is accepted', () => {
  const [example] = codeBlocks('docs/configuration.md').filter(({ language }) => language === 'yaml');
  const { gateway } = parse(example?.text ?? '') as { gateway: { http: object } };
  assert.equal(readSettings(gateway.http).auth.schemes['key']?.type, 'apiKey');
});
