/**
 * `npm run sbom`: prints the bill of materials of an installation as CycloneDX JSON. `npm sbom --omit
 * dev` would leave out packages that development dependencies use as well, such as express.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LockFile, type Manifest, productionLock, productionManifest } from './lib/production.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = <File>(name: string): File => JSON.parse(readFileSync(path.join(root, name), 'utf8')) as File;

const folder = mkdtempSync(path.join(tmpdir(), 'zeromq-gateway-sbom-'));
try {
  const write = (name: string, content: object): void =>
    writeFileSync(path.join(folder, name), JSON.stringify(content));
  write('package.json', productionManifest(read<Manifest>('package.json')));
  write('package-lock.json', productionLock(read<LockFile>('package-lock.json')));
  const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
  process.exitCode = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
