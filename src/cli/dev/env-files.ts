/** Environment files: variables of the workers in `zeromq-gateway dev`. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { toError } from '../../core/messages/errors.ts';

/** The file that is read if the working folder has one. */
const DEFAULT_FILE = '.env';

/**
 * Returns the files to read: the given ones, or `.env` of the working folder, which need not exist.
 */
export function envFilesIn(cwd: string, given: readonly string[] | undefined): readonly string[] {
  return given ?? [path.join(cwd, DEFAULT_FILE)];
}

/**
 * Reads environment files. A later file takes precedence over an earlier one, and the environment
 * of this process over all of them.
 *
 * @returns the variables, and one line for each file that cannot be read.
 */
export function readEnvFiles(
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly env: NodeJS.ProcessEnv; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read: NodeJS.ProcessEnv = {};
  for (const file of files) {
    if (path.basename(file) === DEFAULT_FILE && !existsSync(file)) continue;
    try {
      Object.assign(read, parseEnv(readFileSync(file, 'utf8')));
    } catch (error) {
      problems.push(`cannot read the environment file ${file}: ${toError(error).message}`);
    }
  }
  return { env: { ...read, ...env }, problems };
}
