/** Checks of options that several nodes have. */
import { ZeroMQConfigError } from './errors.ts';

/**
 * A whole number within bounds.
 *
 * @throws ZeroMQConfigError naming the option, its value and what is allowed.
 */
export function checkCount(option: string, value: number, least = 1, most = Infinity): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const allowed =
    most === Infinity ? `of at least ${least}` : `from ${least} to ${most.toLocaleString('en-US')}`;
  throw new ZeroMQConfigError(`${option} must be a whole number ${allowed}, got ${String(value)}`);
}
