/**
 * `npm run soak…`: installs and builds what is missing, then runs soak/<name>.ts with the given
 * arguments.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { ensureDependencies } from '../scripts/lib/install.mjs';
import { ROOT } from '../scripts/lib/project.mjs';

const [name, ...args] = process.argv.slice(2);
ensureDependencies();
await ensureBuild();
const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exit(status ?? 1);
