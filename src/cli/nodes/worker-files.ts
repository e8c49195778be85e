/** Lookup of worker files. */
import { readdirSync } from 'node:fs';
import path from 'node:path';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Returns the worker files of a folder, sorted by name: TypeScript and JavaScript files, without
 * subfolders, declaration files and names that begin with a dot or an underscore.
 */
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
