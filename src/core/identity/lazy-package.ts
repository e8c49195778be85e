/** Packages that are loaded when they are first used, because most processes do not use them. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/**
 * Returns a function that returns a CommonJS package, and loads it on the first call. Loading a
 * package with many files takes up to 0.1 s of CPU time.
 */
export function lazyPackage<Package>(name: string): () => Package {
  let loaded: Package | undefined;
  return () => (loaded ??= load(name) as Package);
}
