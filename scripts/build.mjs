/**
 * `npm run build`: compiles src to dist. With `--package`, as for `npm pack`, it also compiles the
 * samples.
 */
import { build, buildSamples, ensureDependencies } from './lib/project.mjs';

ensureDependencies();
build();
if (process.argv.includes('--package')) buildSamples();
