/**
 * cli: the command line. One file a command; `program.ts` puts them together, `main.ts` is the executable.
 *
 * Values come from flags, environment, file and defaults (`settings.ts`); nodes are started and stopped by
 * `serve.ts`. This is the only folder that ends the process.
 */
import { toError, ZeroMQError } from '../../core/messages/errors.ts';

/** Exit codes of every command. */
export const EXIT = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** It failed: a call got an error, a port was taken, a node broke down. */
  failed: 1,
  /** The command line, the environment or the configuration file is wrong. */
  usage: 2,
} as const;

/** Something the user has to put right before the command can run; every line says what and how. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** The command could not do what it was asked to. Exit code 1; its message is for people, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** What to tell the user of an error, line by line; the stack only of what nobody foresaw. */
export function explain(thrown: unknown): readonly string[] {
  const error = toError(thrown);
  if (error instanceof UsageError) return error.lines;
  const { message, stack } = error;
  const foreseen = error instanceof CommandError || error instanceof ZeroMQError;
  return [foreseen ? message : (stack ?? message)];
}
