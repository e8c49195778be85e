/** The words that names do not contain. eslint.config.js lists them, and this test shows that they are found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint, Linter } from 'eslint';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Returns the names in a text that eslint.config.js forbids in `file`. */
async function forbidden(text: string, file: string): Promise<string[]> {
  const config = (await new ESLint({ cwd: ROOT }).calculateConfigForFile(file)) as Linter.Config;
  const rules = { 'no-restricted-syntax': config.rules?.['no-restricted-syntax'] } as Linter.RulesRecord;
  const found = new Linter().verify(text, [{ rules }]);
  return found.map(({ column, endColumn }) => text.slice(column - 1, (endColumn ?? 0) - 1));
}

for (const file of ['src/index.ts', 'test/helpers/temp.ts', 'bench/run.ts']) {
  test(`identifiers: retired words are found at the start and inside of names (${file})`, async () => {
    const text = 'let told, wasTold, Vigil, LaneSet, guests, beImpatient, doorOf, unsayable;';
    assert.deepEqual(await forbidden(text, file), [
      'told',
      'wasTold',
      'Vigil',
      'LaneSet',
      'guests',
      'beImpatient',
      'doorOf',
      'unsayable',
    ]);
  });
}

test('identifiers: words that only contain them are not', async () => {
  const text = 'let exporter, importer, reporter, planet, Guesthouse, indoor, desktop;';
  assert.deepEqual(await forbidden(text, 'src/index.ts'), []);
});
