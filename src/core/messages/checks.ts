/** Checks for options that several kinds of nodes share. */
import { ZeroMQConfigError } from './errors.ts';

/** Minimum duration in milliseconds; a smaller one is usually a number of seconds. */
const SHORTEST_DURATION = 50;

/**
 * Rejects a duration that looks like seconds, which the Python original takes: above 0 and below
 * 50 ms, unless `allowShort` is set. 0 passes; callers reject it where it has no meaning.
 *
 * @throws {ZeroMQConfigError} when the duration is short; the message names the option and the value for seconds
 */
export function checkUnit(option: string, value: number, allowShort: boolean | undefined): number {
  if (allowShort === true || !(value > 0 && value < SHORTEST_DURATION)) return value;
  const milliseconds = String(Math.round(value * 1000)).replace(/\B(?=(?:\d{3})+$)/g, '_');
  throw new ZeroMQConfigError(
    `${option} is ${value} ms: durations are in milliseconds, and shorter than ${SHORTEST_DURATION} ms is usually a ` +
      `mistake; did you mean ${value} ${value === 1 ? 'second' : 'seconds'}? write ${milliseconds}, or set allowShortDurations`,
  );
}

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
