/**
 * `npm start`: installs and builds what is missing, then runs `zeromq-gateway up`.
 *
 * The command runs in this process, so signals and the exit code need no forwarding.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './lib/build.mjs';
import { ensureStartDependencies } from './lib/install.mjs';
import { MAIN, ROOT } from './lib/project.mjs';

ensureStartDependencies();
await ensureBuild(ROOT, { types: false });
const main = path.join(ROOT, MAIN);
process.argv.splice(1, 1, main, 'up');
await import(pathToFileURL(main).href);
