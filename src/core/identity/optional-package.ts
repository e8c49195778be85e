/** Optional packages: peers of this package that only some features need. */
import { createRequire } from 'node:module';
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

/** The error for a feature whose package is not installed. */
export function missingPackage(name: string, feature: string): ZeroMQConfigError {
  return new ZeroMQConfigError(
    `${feature}: the optional package ${name} is not installed; run npm install ${name}`,
  );
}
