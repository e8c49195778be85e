import { readFileSync } from 'node:fs';

interface PackageInfo {
  readonly version: string;
}

/** The package.json lies in the same place relative to src and to dist. */
const info = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as PackageInfo;

/** Version of this package. */
export const PACKAGE_VERSION: string = info.version;
