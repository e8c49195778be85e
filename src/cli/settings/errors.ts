/**
 * cli: the command line. Each command has a file of its own; `program.ts` combines them, and
 * `main.ts` is the executable.
 *
 * Values come from flags, environment, configuration file and defaults (`settings.ts`). `serve.ts`
 * starts and stops the nodes. This is the only folder whose code ends the process.
 */
import { stringifyExact } from '../../core/json/exact-json.ts';
import { toError, ZeroMQError } from '../../core/messages/errors.ts';
import { isOutcomeCode, outcomeOf } from '../../core/messages/outcome.ts';

/** Exit codes of all commands. */
export const EXIT = {
  /** The command succeeded, or was stopped by a signal. */
  ok: 0,
  /** The command failed: a request failed, a port was in use, or a node stopped unexpectedly. */
  failed: 1,
  /** The command line, the environment or the configuration file is invalid. */
  usage: 2,
} as const;

/**
 * An error that the user must fix before the command can run. Each line says what is wrong and what
 * is allowed. The exit code is 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/**
 * The command could not complete its task. The exit code is 1. The message is shown without a stack
 * trace.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * Returns the lines that describe an error to the user. Only unexpected errors include a stack
 * trace.
 */
export function explain(thrown: unknown): readonly string[] {
  const error = toError(thrown);
  if (error instanceof UsageError) return error.lines;
  const { message, stack } = error;
  const expected = error instanceof CommandError || error instanceof ZeroMQError;
  return [expected ? message : (stack ?? message)];
}

/**
 * Describes a failed request. The code comes first, so that scripts can distinguish outcomes. The
 * details from the worker follow, then the remedy if the error catalogue has one.
 */
export function requestError({ code, message, details }: ZeroMQError): CommandError {
  const lines = [`${code}: ${message}`];
  if (details !== undefined) lines.push(stringifyExact(details));
  if (isOutcomeCode(code)) lines.push(`what to do: ${outcomeOf(code).remedy}`);
  return new CommandError(lines.join('\n'));
}
