/**
 * Location and metadata of the package. They are the same for src and dist, which lie in the same
 * folder.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of the package. */
export const PACKAGE_FOLDER = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

interface About {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const about = JSON.parse(readFileSync(path.join(PACKAGE_FOLDER, 'package.json'), 'utf8')) as About;

export const VERSION = about.version;

/**
 * Versions of dependencies, compatible with this version, for the package.json of a new project.
 */
export function versionsOf(): Readonly<Record<string, string>> {
  const { dependencies } = about;
  const ours = Object.entries(dependencies).map(([name, version]) => [name, `^${version}`]);
  // Development tools are not dependencies of the installed package, so their versions are given
  // here.
  return {
    ...(Object.fromEntries(ours) as Record<string, string>),
    'zeromq-gateway': `^${VERSION}`,
    '@types/node': '^20.19.0',
    typescript: '^6.0.0',
  };
}
