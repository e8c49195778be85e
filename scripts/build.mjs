/** `npm run build`: compiles src to dist. */
import { build, ensureDependencies } from './lib/project.mjs';

ensureDependencies();
build();
