/**
 * The built command, as users run it: `zeromq-gateway …` in its own folder, without the variables
 * of the test's environment that could change its settings. `npm test` builds first. To run a
 * single test after a change, run `npm run build` first.
 */
import { fileURLToPath } from 'node:url';
import { PATIENCE, patientEnvironment } from './patience.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import type { Cleanup } from './scope.ts';
import { tempFolder } from './temp.ts';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Options that bind every listener to a free port. */
export const FREE_PORTS = [
  ...['--frontend', 'tcp://127.0.0.1:0'],
  ...['--backend', 'tcp://127.0.0.1:0'],
  ...['--heartbeat', 'tcp://127.0.0.1:0'],
];

interface CommandOptions {
  /** Working folder. Default: a new empty folder. */
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Command that runs it, for example on another host. */
  prefix?: readonly string[];
}

/** Starts a command. */
export function startCommand(
  cleanup: Cleanup,
  args: readonly string[],
  options: CommandOptions = {},
): RunningProcess {
  const { cwd = tempFolder(cleanup), env, prefix = [] } = options;
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, MAIN, ...args];
  return startProcess(cleanup, command, rest, { cwd, env: { ...patientEnvironment(args), ...env } });
}

/** Starts a long-running command and waits for its ready line. */
export async function startNode(
  cleanup: Cleanup,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<{ node: RunningProcess; line: string }> {
  const node = startCommand(cleanup, args, options);
  const line = await node.waitForLine(/ is ready: /, PATIENCE);
  return { node, line };
}

/** Runs a command until it exits. */
export async function runCommand(
  cleanup: Cleanup,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = startCommand(cleanup, args, options);
  const { code } = await command.exited;
  return { code, stdout: command.lines.join('\n'), stderr: command.stderr };
}

/** Returns the endpoint with this name in a ready line: `endpointIn(line, 'backend')`. */
export function endpointIn(line: string, name: string): string {
  const [, endpoint] = new RegExp(`(?:^|\\s)${name} ((?:tcp|ipc|https?)://[^\\s,]+)`).exec(line) ?? [];
  if (endpoint === undefined) throw new Error(`the line contains no ${name}: ${line}`);
  return endpoint;
}

/** Returns the HTTP address in a ready line. */
export function urlIn(line: string): string {
  return endpointIn(line, 'ready:');
}
