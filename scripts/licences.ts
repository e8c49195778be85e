/**
 * `npm run licences`: lists the packages of an installation with their licences. Fails if a licence
 * is not permissive.
 */
import { fileURLToPath } from 'node:url';
import { EXCEPTIONS, licenceFaults, packagesOf } from './lib/licences.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

const packages = packagesOf(root);
for (const { name, version, licence, development } of packages) {
  if (development) continue;
  const reason = EXCEPTIONS[name]?.reason;
  console.log(`${name} ${version}: ${licence}${reason ? ` (${reason})` : ''}`);
}
const faults = licenceFaults(packages);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
