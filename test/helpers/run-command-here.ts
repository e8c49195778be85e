/** A command in the process of the test: each start of a process takes a second of CPU time. */
import { run } from '../../src/cli/program.ts';
import { patientEnvironment } from './patience.ts';

/** Runs a command that ends by itself. Its environment has only `env`, and a generous timeout of requests. */
export async function runCommandHere(
  args: readonly string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = await run(args, {
    cwd,
    env: { ...patientEnvironment(args), ...env },
    out: (line) => void lines.push(line),
    err: (line) => void errors.push(line),
  });
  return { code, stdout: lines.join('\n'), stderr: errors.map((line) => `${line}\n`).join('') };
}
