/** `npm run soak`: installs and builds what is missing, then runs soak/main.ts with the arguments given. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureBuild, ensureDependencies, ROOT } from '../scripts/lib/project.mjs';

ensureDependencies();
ensureBuild();
const file = fileURLToPath(new URL('main.ts', import.meta.url));
const { status } = spawnSync(process.execPath, ['--import', 'tsx', file, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exit(status ?? 1);
