/** package.json and package-lock.json as if the package had no development dependencies. */

/** The parts of package.json that count. */
export interface Manifest {
  readonly devDependencies?: object;
  readonly scripts?: object;
  readonly overrides?: object;
}

/** package-lock.json; the root package has the path ''. */
export interface LockFile {
  readonly packages: Readonly<
    Record<string, Manifest & { readonly dev?: boolean; readonly devOptional?: boolean }>
  >;
}

/** The package without its development dependencies and without their overrides. */
export function productionManifest<Package extends Manifest>(manifest: Package): object {
  const { devDependencies: _dev, scripts: _scripts, overrides: _overrides, ...rest } = manifest;
  return rest;
}

/** The lock file without packages that only development dependencies need. */
export function productionLock(lock: LockFile): LockFile {
  const packages = Object.entries(lock.packages)
    .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
    .map(([name, entry]) => [name, name === '' ? productionManifest(entry) : entry] as const);
  return { ...lock, packages: Object.fromEntries(packages) };
}
