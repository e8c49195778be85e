/**
 * `npm run build`: compiles src to dist. With `--package`, as for `npm pack`, it also compiles the
 * samples, and leaves comments and indentation out of the JavaScript.
 */
import { build, buildSamples, compact, ensureDependencies } from './lib/project.mjs';

ensureDependencies();
build();
if (process.argv.includes('--package')) {
  await compact();
  buildSamples();
}
