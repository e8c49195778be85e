/**
 * Programs outside npm that some tests use: how to detect them, and which Debian package has them.
 * A test whose program is missing skips itself and names the program.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installKubernetesTools, kubernetesTool } from './kubernetes-tools.mjs';

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .some((folder) => folder !== '' && existsSync(`${folder}/${name}`));
}

/** `mention`: text that every test using the program contains. */
export const HELPERS = [
  {
    name: 'python3-zmq',
    mention: 'python3',
    // Debian's Python packages belong to Debian's Python, which need not be the first on PATH.
    present: () => spawnSync('/usr/bin/python3', ['-c', 'import zmq'], { stdio: 'ignore' }).status === 0,
  },
  {
    name: 'python3-requests',
    mention: 'python3-requests',
    present: () => spawnSync('/usr/bin/python3', ['-c', 'import requests'], { stdio: 'ignore' }).status === 0,
  },
  { name: 'nginx-light', mention: "'nginx'", present: () => existsSync('/usr/sbin/nginx') },
  { name: 'caddy', mention: "'caddy'", present: () => onPath('caddy') },
  { name: 'curl', mention: "'curl'", present: () => onPath('curl') },
  { name: 'chromium', mention: 'chromium', present: () => onPath('chromium') },
  { name: 'iproute2', mention: 'iproute2', present: () => onPath('ip') },
  { name: 'redis-server', mention: 'redis-server', present: () => onPath('redis-server') },
  {
    name: 'postgresql',
    mention: 'POSTGRES_MISSING',
    // Debian's folder of servers: the client programs alone are on PATH.
    present: () => existsSync('/usr/lib/postgresql'),
  },
  { name: 'zsh', mention: "'zsh'", present: () => onPath('zsh') },
  { name: 'fish', mention: "'fish'", present: () => onPath('fish') },
  { name: 'prometheus', mention: "'promtool'", present: () => onPath('promtool') },
  {
    name: 'helm and kubectl',
    mention: 'kubernetesTool(',
    present: () => kubernetesTool('helm') !== undefined,
    install: installKubernetesTools,
  },
];

/**
 * Installs missing programs that the tests mention, if the user is root and apt-get exists. It never
 * asks for other rights.
 *
 * @param {readonly string[]} sources texts of the tests that will run
 * @param {{ required?: boolean }} how `required`: exit with an error if one cannot be installed.
 */
export function ensureHelpers(sources, { required = false } = {}) {
  const wanted = HELPERS.filter(({ mention }) => sources.some((text) => text.includes(mention))).filter(
    (helper) => !helper.present(),
  );
  for (const { name, install } of wanted) if (install !== undefined) installOther(name, install, required);
  const missing = wanted.filter(({ install }) => install === undefined).map(({ name }) => name);
  if (missing.length === 0) return;
  const names = missing.join(', ');
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    process.stderr.write(
      required
        ? `Not installed: ${names}. They need root and apt-get: apt-get install ${missing.join(' ')}\n`
        : `Not installed: ${names}. Tests that need them are skipped.\n`,
    );
    if (required) process.exit(1);
    return;
  }
  process.stderr.write(`Installing ${names} (apt-get)\n`);
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 2, 2],
      // Services that packages contain are not started in this runlevel.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
  apt('update');
  for (const name of missing) {
    if (apt('install', '--yes', '--no-install-recommends', name).status === 0) continue;
    process.stderr.write(
      `Could not install ${name}. Tests that need it are ${required ? 'required' : 'skipped'}.\n`,
    );
    if (required) process.exit(1);
  }
}

/** Installs programs that do not come from Debian. */
function installOther(name, install, required) {
  process.stderr.write(`Installing ${name} (npm)\n`);
  if (install()) return;
  process.stderr.write(
    `Could not install ${name}. Tests that need it are ${required ? 'required' : 'skipped'}.\n`,
  );
  if (required) process.exit(1);
}
