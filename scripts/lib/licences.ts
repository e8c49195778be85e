/**
 * Licences of the packages in package-lock.json. A licence is permissive if it requires nothing but
 * attribution on redistribution.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const PERMISSIVE = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC0-1.0', 'ISC', 'MIT'],
  ...['Python-2.0', 'Unlicense', 'WTFPL', 'Zlib'],
  'MIT License', // not an SPDX identifier, but in use
]);

/** Packages with other licences, and why they are acceptable. */
export const EXCEPTIONS: Readonly<Record<string, { readonly licence: string; readonly reason: string }>> = {
  zeromq: {
    licence: 'MIT AND MPL-2.0',
    reason: 'MPL-2.0 is that of libzmq within it, and holds for its own files alone; it is used unchanged.',
  },
  '@cspell/dict-en-common-misspellings': {
    licence: 'CC BY-SA 4.0',
    reason: 'a list of words for the spelling check: development only, nothing of it is passed on.',
  },
  format: {
    licence: 'none named',
    reason: 'its package.json names MIT in an outdated field; the text lint depends on it, development only.',
  },
  '@directus/specs': {
    licence: 'SEE LICENSE IN license',
    reason: 'an OpenAPI document that tests read: development only, nothing of it is passed on.',
  },
};

/**
 * Whether an SPDX expression permits the choice of a permissive licence.
 *
 * @param expression such as `(MIT OR GPL-3.0)`
 */
export function isPermissive(expression: string): boolean {
  const text = expression.replace(/^\((.*)\)$/, '$1');
  if (text.includes('(')) return false; // nested expressions need a manual review
  return text
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => PERMISSIVE.has(one.trim())));
}

/** An installed package. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** Usually an SPDX expression. */
  readonly licence: string;
  /** Whether the package is needed for development only. */
  readonly development: boolean;
}

interface LockFile {
  readonly packages: Readonly<
    Record<
      string,
      { version?: string; license?: string; dev?: boolean; devOptional?: boolean; link?: boolean }
    >
  >;
}

/**
 * Returns every package of a lock file once: name, version, licence, and whether it is needed for
 * development only.
 *
 * @param root folder with package-lock.json
 */
export function packagesOf(root: string): Package[] {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as LockFile;
  const found = new Map<string, Package>();
  for (const [place, { version = '', license, dev, devOptional, link }] of Object.entries(packages)) {
    if (place === '' || link) continue;
    const name = place.split('node_modules/').at(-1) ?? place;
    const development = Boolean(dev ?? devOptional);
    const key = `${name}@${version}`;
    const before = found.get(key);
    found.set(key, {
      name,
      version,
      licence: license ?? 'none named',
      development: development && (before?.development ?? true),
    });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns one line for each package whose licence is not acceptable. */
export function licenceFaults(packages: readonly Package[]): string[] {
  return packages
    .filter(({ name, licence }) => !isPermissive(licence) && EXCEPTIONS[name]?.licence !== licence)
    .map(({ name, version, licence }) => {
      return `${name} ${version}: ${licence} is not known to be permissive; take another package, or name it in scripts/lib/licences.ts with a reason`;
    });
}
