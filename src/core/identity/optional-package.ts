/** Optional packages: peers of this package that only some features need. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ZeroMQConfigError } from '../messages/errors.ts';
import { isCode } from './file-lock.ts';

const load = createRequire(import.meta.url);

/** Loads a CommonJS package; undefined if it is not installed. */
export function optionalPackage(name: string): unknown {
  try {
    return load(name);
  } catch (error) {
    if (isCode(error, 'MODULE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Whether a package is installed; does not load it. */
export function hasPackage(name: string): boolean {
  try {
    load.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The folder of a package, for files that it does not export; undefined if it is not installed. */
export function packageFolder(name: string): string | undefined {
  const folders = (load.resolve.paths(name) ?? []).map((folder) => path.join(folder, name));
  return folders.find((folder) => existsSync(path.join(folder, 'package.json')));
}

/** The error for a feature whose package is not installed. */
export function missingPackage(name: string, feature: string): ZeroMQConfigError {
  return new ZeroMQConfigError(
    `${feature}: the optional package ${name} is not installed; run npm install ${name}`,
  );
}
