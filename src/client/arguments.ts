/** Checks of what callers pass to a client: durations and event data. */
import { jsonText } from '../core/json/json-value.ts';
import { checkUnit } from '../core/messages/checks.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';

/** Maximum delay of a timer in Node.js, in milliseconds. */
export const LONGEST_TIMEOUT = 0x7fffffff;

/** @throws {ZeroMQConfigError} when the request timeout is not a positive number, too large, or short */
export function checkTimeout(timeout: number, allowShort: boolean | undefined): number {
  if (!(typeof timeout === 'number' && timeout > 0 && timeout <= LONGEST_TIMEOUT)) {
    throw new ZeroMQConfigError(
      `timeout must be more than 0 ms and at most 2^31 - 1, got ${String(timeout)}`,
    );
  }
  return checkUnit('timeout', timeout, allowShort);
}

/**
 * Checks how long to wait for a connection; 0 does not wait.
 *
 * @throws {ZeroMQConfigError} when it is negative, not a number, or short
 */
export function checkWait(option: string, wait: number, allowShort: boolean | undefined): number {
  if (!(wait >= 0)) throw new ZeroMQConfigError(`${option} must be at least 0 ms, got ${String(wait)}`);
  return checkUnit(option, wait, allowShort);
}

/** @throws {ZeroMQConfigError} when the event data has no JSON form */
export function encodeData(eventData: unknown): Buffer {
  try {
    return Buffer.from(jsonText(eventData));
  } catch (cause) {
    throw new ZeroMQConfigError(`eventData: ${toError(cause).message}`, { cause });
  }
}
