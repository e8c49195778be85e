/** Finds the file and line of a syntax error, which Node.js does not put into the error itself. */
import { spawnSync } from 'node:child_process';

/** Maximum number of files to check; each takes the time of a start of Node.js. */
const MAX_FILES = 50;

/**
 * Checks JavaScript files, the last one first.
 *
 * @returns what Node.js prints about the first file with a syntax error: its place, the line and the
 *   error.
 */
export function syntaxErrorIn(files: readonly string[]): string | undefined {
  const scripts = files.filter((file) => /\.[cm]?js$/.test(file)).slice(-MAX_FILES);
  for (const file of scripts.reverse()) {
    const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
    if (status !== 0 && stderr.includes('SyntaxError')) return stderr;
  }
  return undefined;
}
