/**
 * `npm run image:check`: builds the container image with podman, docker or buildah and podman, and
 * runs it: the version, a router, and the health check of the image against it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const IMAGE = 'localhost/zeromq-gateway:check';
const CONTAINER = `zeromq-gateway-check-${process.pid}`;
/** How long the router may take to become healthy, in ms. */
const START_TIME = 30_000;

const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** Runs a program and returns its output. @throws {Error} when it fails. */
function run(program: string, args: readonly string[], stdio: 'pipe' | 'inherit' = 'pipe'): string {
  console.log(`$ ${program} ${args.join(' ')}`);
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', stdio });
  if (status !== 0) throw new Error(`${program} ${args[0] ?? ''} failed: ${stderr ?? ''}`);
  return (stdout ?? '').trim();
}

/** The program that runs containers, and the command that builds images. */
function programs(): { runner: string; build: readonly [string, ...string[]] } {
  const runner = ['podman', 'docker'].find(isInstalled);
  if (runner === undefined) throw new Error('neither podman nor docker is installed');
  return { runner, build: isInstalled('buildah') ? ['buildah', 'bud'] : [runner, 'build'] };
}

/** Resolves when the health check of the image succeeds in the container. */
async function untilHealthy(runner: string): Promise<void> {
  const check = ['exec', CONTAINER, 'node', '/app/dist/cli/main.js', 'health'];
  const end = Date.now() + START_TIME;
  while (spawnSync(runner, check).status !== 0) {
    if (Date.now() > end) throw new Error(`the router is not healthy: ${run(runner, ['logs', CONTAINER])}`);
    await sleep(500);
  }
}

async function check(): Promise<void> {
  const { runner, build } = programs();
  const [builder, ...words] = build;
  run(builder, [...words, '--tag', IMAGE, '.'], 'inherit');
  const [, base = ''] = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(`${ROOT}Dockerfile`, 'utf8')) ?? [];
  const digests = run(runner, ['image', 'inspect', '--format', '{{json .RepoDigests}}', base]);
  const size = Number(run(runner, ['image', 'inspect', '--format', '{{.Size}}', IMAGE]));
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  const printed = run(runner, ['run', '--rm', IMAGE, '--version']);
  if (!printed.includes(version)) throw new Error(`--version printed ${printed}, not ${version}`);
  run(runner, ['run', '--detach', '--name', CONTAINER, '--read-only', '--tmpfs', '/tmp', IMAGE, 'router']);
  try {
    await untilHealthy(runner);
    run(runner, ['stop', '--time', '15', CONTAINER]);
    const code = run(runner, ['inspect', '--format', '{{.State.ExitCode}}', CONTAINER]);
    if (code !== '0') throw new Error(`the router ended with exit code ${code}`);
  } finally {
    spawnSync(runner, ['rm', '--force', CONTAINER]);
  }
  console.log(`the image works: ${Math.round(size / 1e6)} MB, base ${base} ${digests}`);
}

try {
  await check();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
