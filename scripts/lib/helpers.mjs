/**
 * Programs outside npm that some tests use: how to detect them, and which Debian package has them.
 * A test whose program is missing skips itself and names the program.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

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
  { name: 'curl', mention: "'curl'", present: () => onPath('curl') },
  { name: 'chromium', mention: 'chromium', present: () => onPath('chromium') },
  { name: 'iproute2', mention: 'iproute2', present: () => onPath('ip') },
  { name: 'redis-server', mention: 'redis-server', present: () => onPath('redis-server') },
  { name: 'zsh', mention: "'zsh'", present: () => onPath('zsh') },
  { name: 'fish', mention: "'fish'", present: () => onPath('fish') },
];

/**
 * Installs missing programs that the tests mention, if the user is root and apt-get exists.
 *
 * @param {readonly string[]} sources texts of the tests that will run
 */
export function ensureHelpers(sources) {
  const missing = HELPERS.filter(({ mention }) => sources.some((text) => text.includes(mention)))
    .filter((helper) => !helper.present())
    .map((helper) => helper.name);
  if (missing.length === 0) return;
  const names = missing.join(', ');
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    process.stderr.write(`Not installed: ${names}. Tests that need them are skipped.\n`);
    return;
  }
  process.stderr.write(`Installing ${names} (apt-get)\n`);
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  apt('update');
  for (const name of missing) {
    if (apt('install', '--yes', '--no-install-recommends', name).status === 0) continue;
    process.stderr.write(`Could not install ${name}. Tests that need it are skipped.\n`);
  }
}
