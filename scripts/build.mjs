/**
 * `npm run build`: compiles src and the samples to dist. With `--package`, as for `npm pack`, it does so
 * if the sources have changed, and leaves comments and indentation out of the JavaScript.
 */
import { build, compact, ensureBuild } from './lib/build.mjs';
import { ensureDependencies } from './lib/install.mjs';

ensureDependencies();
if (process.argv.includes('--package')) {
  await ensureBuild();
  await compact();
} else await build();
