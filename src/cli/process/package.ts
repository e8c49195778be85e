/**
 * Location and metadata of the package. They are the same for src and dist, which lie in the same
 * folder.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of the package. */
export const PACKAGE_FOLDER = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

interface PackageInfo {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** Optional packages, with ranges. */
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const packageInfo = JSON.parse(
  readFileSync(path.join(PACKAGE_FOLDER, 'package.json'), 'utf8'),
) as PackageInfo;

export const VERSION = packageInfo.version;

/**
 * Versions of dependencies, compatible with this version, for the package.json of a new project.
 */
export function dependencyVersions(): Readonly<Record<string, string>> {
  const { dependencies, peerDependencies } = packageInfo;
  const production = Object.entries(dependencies).map(([name, version]) => [name, `^${version}`]);
  // Development tools are not dependencies of the installed package, so their versions are given
  // here.
  return {
    ...peerDependencies,
    ...(Object.fromEntries(production) as Record<string, string>),
    'zeromq-gateway': `^${VERSION}`,
    '@biomejs/biome': '^2.5.0',
    '@types/node': '^20.19.0',
    typescript: '^6.0.0',
  };
}
