/** Checks of the durations that a client is given. */
import { checkUnit } from '../core/messages/checks.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';

/** Maximum delay of a timer in Node.js, in milliseconds. */
export const MAX_TIMEOUT = 0x7fffffff;

/**
 * Checks a request timeout in milliseconds.
 *
 * @throws {ZeroMQConfigError} when the timeout is not a positive number or exceeds 2^31 - 1, or is
 *   below 50 ms and `allowShort` is not set
 */
export function checkTimeout(timeout: number, allowShort: boolean | undefined): number {
  if (!(typeof timeout === 'number' && timeout > 0 && timeout <= MAX_TIMEOUT)) {
    throw new ZeroMQConfigError(
      `timeout must be more than 0 ms and at most 2^31 - 1, got ${String(timeout)}`,
    );
  }
  return checkUnit('timeout', timeout, allowShort);
}

/**
 * Checks how long to wait for a connection, in milliseconds; 0 means not to wait.
 *
 * @throws {ZeroMQConfigError} when the duration is negative or not a number, or is below 50 ms and
 *   `allowShort` is not set
 */
export function checkWait(option: string, wait: number, allowShort: boolean | undefined): number {
  if (!(wait >= 0)) throw new ZeroMQConfigError(`${option} must be at least 0 ms, got ${String(wait)}`);
  return checkUnit(option, wait, allowShort);
}
