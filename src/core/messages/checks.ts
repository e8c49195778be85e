/** Checks for options that several kinds of nodes share. */
import { ZeroMQConfigError } from './errors.ts';

/**
 * Checks that an option is an integer within bounds, and returns it.
 *
 * @throws {ZeroMQConfigError} when it is not; the message has the option, its value and the bounds.
 */
export function checkCount(option: string, value: number, least = 1, most = Infinity): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const allowed =
    most === Infinity ? `of at least ${least}` : `from ${least} to ${most.toLocaleString('en-US')}`;
  throw new ZeroMQConfigError(`${option} must be a whole number ${allowed}, got ${String(value)}`);
}
