/** Packs this package, for projects that depend on it while it is not on the npm registry. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { CommandError } from '../settings/errors.ts';
import { PACKAGE_FOLDER } from './package.ts';

/**
 * Writes the tarball `zeromq-gateway-VERSION.tgz` of the running package into a folder.
 *
 * @throws {CommandError} when npm cannot be run or fails.
 */
export function packInto(folder: string): void {
  mkdirSync(folder, { recursive: true });
  // The scripts of the package need its sources, which an installed package does not contain.
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const { status, error, stderr } = spawnSync('npm', args, {
    cwd: PACKAGE_FOLDER,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  const reason = error?.message ?? stderr.trim();
  throw new CommandError(
    `cannot pack zeromq-gateway with npm: ${reason}; install npm, or choose a version with --package`,
  );
}
