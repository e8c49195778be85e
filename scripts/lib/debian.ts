/** Root file systems with Debian and Node.js, made by debootstrap. Needs root. */
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { isInstalled, run } from './run.ts';

/** The release of the container image (Dockerfile). */
const RELEASE = 'bookworm';

/** Node.js needs the library; registries are reached over TLS. */
const NEEDED = ['libstdc++6', 'ca-certificates'];

/** Certificate authorities of this machine, which may include one of its network. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** The file of the certificate authorities in a root file system. */
export const TRUSTED = AUTHORITIES;

/** Installs Debian into an empty folder. */
export function createDebian(folder: string, packages: readonly string[] = []): void {
  if (!isInstalled('debootstrap')) throw new Error('debootstrap is not installed');
  const include = [...NEEDED, ...packages].join(',');
  run('debootstrap', ['--variant=minbase', `--include=${include}`, RELEASE, folder]);
  if (existsSync(AUTHORITIES)) cpSync(AUTHORITIES, path.join(folder, AUTHORITIES));
}

/** Copies the Node.js and the npm that run this process below a prefix such as `usr/local`. */
export function addNode(folder: string, prefix: string): void {
  const bin = path.join(folder, prefix, 'bin');
  mkdirSync(bin, { recursive: true });
  cpSync(realpathSync(process.execPath), path.join(bin, 'node'));
  const { npm_execpath: cli } = process.env;
  if (cli === undefined) throw new Error('run this script with npm, whose npm it copies');
  const npm = path.dirname(path.dirname(realpathSync(cli)));
  const copy = path.join(folder, prefix, 'lib/node_modules/npm');
  rmSync(copy, { recursive: true, force: true });
  cpSync(npm, copy, { recursive: true, verbatimSymlinks: true });
  for (const name of ['npm', 'npx']) {
    rmSync(path.join(bin, name), { force: true });
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(bin, name));
  }
}
