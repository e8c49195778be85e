/**
 * `npm run bench…`: installs and builds what is missing, then runs bench/<name>.ts with the given
 * arguments.
 *
 * The peers have their own dependencies in bench/peers. Micro benchmarks, the benchmark of the
 * documentation and the count of wake-ups do not need them. Those of the comparison are in
 * bench/comparison.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { ensureDependencies } from '../scripts/lib/install.mjs';
import { ROOT } from '../scripts/lib/project.mjs';

const [name, ...args] = process.argv.slice(2);
ensureDependencies();
await ensureBuild();
if (name !== 'micro' && name !== 'docs' && name !== 'wakeups') {
  const peers = name === 'workbench' ? 'comparison' : 'peers';
  ensureDependencies(fileURLToPath(new URL(peers, import.meta.url)));
}
const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exit(status ?? 1);
