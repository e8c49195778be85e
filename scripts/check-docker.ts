/**
 * `npm run docker:check`: checks the Dockerfile and the Compose files as far as possible without
 * Docker.
 */
import { fileURLToPath } from 'node:url';
import { checkCompose, checkDockerfile } from './lib/docker.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const faults = [
  ...checkDockerfile(root),
  ...checkCompose(root),
  ...checkCompose(root, 'deploy/compose.yaml'),
];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
