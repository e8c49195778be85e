/**
 * `npm run build`: compiles src to dist. With `--package`, as for `npm pack`, it also compiles the
 * samples, and leaves comments out of the JavaScript.
 */
import { build, buildSamples, ensureDependencies, removeComments } from './lib/project.mjs';

ensureDependencies();
build();
if (process.argv.includes('--package')) {
  removeComments();
  buildSamples();
}
