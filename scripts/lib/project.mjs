/**
 * What the scripts share that run first in a fresh clone: plain JavaScript without dependencies.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of the project. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The built command, relative to the root folder. */
export const MAIN = 'dist/cli/main.js';

/**
 * Runs a command with its output on standard error. If it fails, exits with the same code or
 * signal.
 */
export function run(root, command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.error) throw result.error;
  if (result.signal) process.kill(process.pid, result.signal);
  if (result.status !== 0) {
    process.stderr.write(
      `${[path.basename(command), ...args].join(' ')} failed (exit code ${result.status}).\n`,
    );
    process.exit(result.status ?? 1);
  }
}

/** Returns the content of a JSON file; undefined if it is missing or not valid. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
