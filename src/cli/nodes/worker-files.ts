/** Lookup of worker files. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../settings/errors.ts';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Returns the worker files of a folder, sorted by name: TypeScript and JavaScript files, without
 * subfolders, declaration files and names that begin with a dot or an underscore.
 *
 * @throws {UsageError} when the folder has no worker file.
 */
export function workerFilesIn(folder: string): string[] {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && EXTENSIONS.includes(path.extname(entry.name)))
    .map((entry) => entry.name)
    .filter((name) => !/^[._]|\.d\.m?ts$/.test(name))
    .sort();
  if (files.length === 0) {
    throw new UsageError([
      `workers: ${JSON.stringify(folder)} contains no worker file; allowed: a folder with files *${EXTENSIONS.join(', *')}`,
    ]);
  }
  return files.map((name) => path.join(folder, name));
}
