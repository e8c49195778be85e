/**
 * core/messages: requests, replies, outcomes and errors as all layers see them (`message.ts`),
 * whatever the wire looks like.
 *
 * Stacks of errors that begin with the line of the user.
 */
import { ZeroMQError } from './errors.ts';

/**
 * Returns an error for its caller to throw. An error of the framework gets the stack of the caller
 * of `entry`: its first frame is the line that passed the wrong value.
 *
 * @param entry the public function or class; its frame and those above it are left out.
 */
export function atCallerOf(entry: object, error: unknown): unknown {
  if (error instanceof ZeroMQError) Error.captureStackTrace(error, entry as () => unknown);
  return error;
}

/** Runs the body of a public function; see {@link atCallerOf}. */
export function atCaller<Result>(entry: object, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw atCallerOf(entry, error);
  }
}

/** A position in a stack: `file:line:column`, as text or as a file URL. */
const POSITION = /^ +at (?:.*\()?((?:file:\/\/)?\/.*?|[A-Z]:\\.*?):(\d+):(\d+)\)?$/;

/** Returns where an error was thrown, as `file:line:column`; undefined if its stack does not say. */
export function positionOf({ stack }: Error): string | undefined {
  for (const line of stack?.split('\n') ?? []) {
    const [, file, row, column] = POSITION.exec(line) ?? [];
    if (file === undefined || file.includes('/node_modules/')) continue;
    return `${decodeURI(file.replace(/^file:\/\//, ''))}:${row}:${column}`;
  }
  return undefined;
}
