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
  const files = listWorkerFiles(folder);
  if (files.length > 0) return files;
  throw new UsageError([
    `workers: ${JSON.stringify(folder)} contains no worker file; allowed: a folder with files *${EXTENSIONS.join(', *')}`,
  ]);
}

/** Does the same as {@link workerFilesIn}, for a folder that may have no worker file. */
export function listWorkerFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isWorkerFile(entry.name))
    .map(({ name }) => path.join(folder, name))
    .sort();
}

/** Whether a file with this name in the folder of the workers is a worker file. */
export function isWorkerFile(name: string): boolean {
  return EXTENSIONS.includes(path.extname(name)) && !/^[._]|\.d\.m?ts$/.test(name);
}
