/** Runs programs for checks of this repository, and prints their command lines. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Whether a program is installed. */
export const isInstalled = (program: string): boolean =>
  spawnSync(program, ['--version']).error === undefined;

/** How `run` runs a program. */
export interface RunOptions {
  /** Working folder; by default, the repository. */
  readonly cwd?: string;
  /** Whether the output of the program is shown instead of returned. */
  readonly show?: boolean;
}

/** Runs a program and returns its output without surrounding space. @throws {Error} when it fails. */
export function run(
  program: string,
  args: readonly string[],
  { cwd = ROOT, show = false }: RunOptions = {},
): string {
  console.log(`$ ${program} ${args.join(' ')}`);
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  if (status !== 0) {
    const reason = error?.message ?? `${stdout ?? ''}${stderr ?? ''}`;
    throw new Error(`${program} ${args.join(' ')} failed: ${reason}`);
  }
  return (stdout ?? '').trim();
}

/** Resolves when `isTrue` returns true. @throws {Error} with `message` after `timeout` ms. */
export async function until(isTrue: () => boolean, message: () => string, timeout: number): Promise<void> {
  const end = Date.now() + timeout;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(message());
    await sleep(200);
  }
}

/** Runs a check, prints the error that it throws, and sets the exit code. */
export async function runCheck(check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
