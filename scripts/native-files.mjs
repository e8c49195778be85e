/**
 * `node scripts/native-files.mjs FOLDER`: removes the native add-ons for other platforms from
 * node_modules, for the container image. Add-ons lie in folders such as `linux/x64/node` (zeromq) or
 * `linux-x64` (prebuildify); on Linux, those for the other C library are in folders named `musl-…` or
 * `glibc-…`.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openbsd', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/**
 * Whether a native add-on is for this platform, by the names of its folders.
 *
 * @param {string} file path of the add-on, with slashes
 * @param {{ platform: string, arch: string, libc: string }} target
 */
export function isForPlatform(file, { platform, arch, libc }) {
  for (const folder of path.posix.dirname(file).split('/')) {
    const parts = folder.split('-');
    const [first = '', second = ''] = parts;
    if (SYSTEMS.includes(first) && first !== platform) return false;
    const processor = SYSTEMS.includes(first) ? second : first;
    if (PROCESSORS.includes(processor) && processor !== arch) return false;
    if (['glibc', 'musl'].includes(first) && first !== libc) return false;
  }
  return true;
}

/** Removes the add-ons below a folder that are not for the target, and returns their paths. */
export function removeOthers(root, target) {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const addOns = names.map((name) => name.split(path.sep).join('/')).filter((name) => name.endsWith('.node'));
  const others = addOns.filter((name) => !isForPlatform(name, target));
  for (const name of others) rmSync(path.join(root, name));
  return others;
}

const [, script, folder] = process.argv;
if (script !== undefined && import.meta.url.endsWith(path.basename(script)) && folder !== undefined) {
  const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
  const removed = removeOthers(folder, { platform: process.platform, arch: process.arch, libc });
  console.log(`removed ${removed.length} native add-ons of other platforms`);
}
