/**
 * Converts thrown values for logs. JavaScript code can throw any value, including objects that
 * throw when they are read.
 */
import { inspect } from 'node:util';

/** Maximum characters of a thrown object in the message of its error. */
const MAX_LENGTH = 1000;

/**
 * Converts any thrown value to an Error whose members are safe to read. Never throws, not even for
 * an object without a prototype, a revoked proxy, or an error whose getters throw.
 */
export function toError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return new Error(describe(thrown));
    if (isLoggable(thrown)) return thrown;
  } catch {
    // A getter or a proxy trap threw: copy what can be read.
  }
  return copyOf(thrown as Error);
}

/** Maximum depth of the chain of causes that is checked. */
const MAX_CAUSES = 8;

/**
 * Whether all members that a logger reads are readable. The error must be extensible: pino writes
 * to it.
 */
function isLoggable(error: Error, causes = MAX_CAUSES): boolean {
  void [error.stack, error.constructor];
  for (const name in error) void error[name as keyof Error];
  const { name, message, cause } = error;
  const sound = typeof name === 'string' && typeof message === 'string' && Object.isExtensible(error);
  return sound && (causes === 0 || !(cause instanceof Error) || isLoggable(cause, causes - 1));
}

function copyOf(error: Error): Error {
  const copy = new Error(textIn(error, 'message') ?? describe(error));
  const name = textIn(error, 'name');
  const stack = textIn(error, 'stack');
  if (name !== undefined) Object.defineProperty(copy, 'name', { value: name });
  if (stack !== undefined) copy.stack = stack;
  return copy;
}

function textIn(error: Error, name: 'name' | 'message' | 'stack'): string | undefined {
  try {
    const value: unknown = error[name];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Describes any value as text. Runs no getters, proxy traps, `toString` or custom inspection of the
 * value.
 */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return inspect(value, { depth: 1, customInspect: false, getters: false }).slice(0, MAX_LENGTH);
  } catch {
    return `an unreadable ${typeof value}`;
  }
}
