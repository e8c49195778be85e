/** Durations in whole milliseconds, as messages carry them. */

/**
 * More than the error of `now + duration - now`, which may exceed the duration. Without it, the time
 * left could grow by a millisecond at each node.
 */
const ROUNDING_ERROR = 0.001;

/** Rounds a duration in ms up. */
export function wholeMilliseconds(duration: number): number {
  return Math.ceil(duration - ROUNDING_ERROR);
}
