/**
 * The built command, as users run it: `zeromq-gateway …` in a folder of its own, with nothing of the test's environment
 * that could change its settings. `npm test` builds first; after a change run `npm run build` before a single test.
 */
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from './processes.ts';
import type { Cleanup } from './scope.ts';
import { tempFolder } from './temp.ts';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Starting takes longer than usual while other tests keep the machine busy; ms. */
export const START_PATIENCE = 30_000;

/** Options that put everything that listens on free ports. */
export const FREE_PORTS = [
  ...['--frontend', 'tcp://127.0.0.1:0'],
  ...['--backend', 'tcp://127.0.0.1:0'],
  ...['--heartbeat', 'tcp://127.0.0.1:0'],
];

interface CommandOptions {
  /** Working folder; default: a new empty one. */
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** A command that runs it: on another host, say. */
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
  return startProcess(cleanup, command, rest, { cwd, env });
}

/** Starts a long-running command; gives its ready line too. */
export async function startNode(
  cleanup: Cleanup,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<{ node: RunningProcess; line: string }> {
  const node = startCommand(cleanup, args, options);
  const line = await node.waitForLine(/ is ready: /, START_PATIENCE);
  return { node, line };
}

/** Runs a command to its end. */
export async function runCommand(
  cleanup: Cleanup,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = startCommand(cleanup, args, options);
  const { code } = await command.exited;
  return { code, stdout: command.lines.join('\n'), stderr: command.stderr };
}

/** What a ready line says of a name: `endpointIn(line, 'backend')`. */
export function endpointIn(line: string, name: string): string {
  const [, endpoint] = new RegExp(`(?:^|\\s)${name} ((?:tcp|ipc|http)://[^\\s,]+)`).exec(line) ?? [];
  if (endpoint === undefined) throw new Error(`no ${name} in: ${line}`);
  return endpoint;
}

/** The HTTP address in a ready line. */
export function urlIn(line: string): string {
  return endpointIn(line, 'ready:');
}
