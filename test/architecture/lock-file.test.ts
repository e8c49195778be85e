/**
 * `npm ci`, and so `npm start` in a fresh clone, rejects a lock file without the optional packages
 * for other platforms. npm omits them silently if its registry does not have them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface LockFile {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
}

test('lock file: lists the optional packages of all platforms', () => {
  const { packages } = JSON.parse(
    readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
  ) as LockFile;
  const names = new Set(Object.keys(packages).map((place) => place.split('node_modules/').at(-1)));
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !names.has(name));
  assert.deepEqual(missing, []);
});
