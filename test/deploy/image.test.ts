/** The optional packages in the container image. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { ROOT } from '../docs/pages.ts';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
}

it('image: contains tsx and the client for Redis with all their dependencies', () => {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const dockerfile = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
  const copied = [...dockerfile.matchAll(/^COPY --from=build \/app\/node_modules\/(\S+) /gm)].map(
    ([, name]) => name ?? '',
  );
  const needed = new Set(['tsx', '@redis/client']);
  for (const name of needed) {
    const nested = Object.keys(packages).filter((place) =>
      place.startsWith(`node_modules/${name}/node_modules/`),
    );
    assert.deepEqual(nested, [], `${name} has dependencies of its own version`);
    for (const each of Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {})) needed.add(each);
  }
  // Packages of production are in the image anyway.
  const expected = [...needed].filter((name) => packages[`node_modules/${name}`]?.dev !== undefined);
  // The binary of esbuild is an optional package of each platform.
  assert.deepEqual(copied.sort(), [...expected, '@esbuild'].sort());
});
