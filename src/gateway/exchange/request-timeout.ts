/** The timeout of a request: that of its operation, or the one that the caller asks for. */
import type { IncomingMessage } from 'node:http';
import type { RequestIssue } from '../common/problem.ts';
import type { GatewaySettings } from '../common/settings.ts';

/**
 * The timeout of a request, in milliseconds.
 * @param fallback timeout of the operation.
 * @returns what is wrong with the timeout header if it is not valid.
 */
export function requestTimeout(
  { timeoutHeader, maxTimeout }: GatewaySettings,
  { headers }: IncomingMessage,
  fallback: number,
): number | RequestIssue {
  const name = timeoutHeader.toLowerCase();
  const given = headers[name];
  if (given === undefined) return fallback;
  if (typeof given === 'string' && /^[1-9]\d{0,8}$/.test(given)) return Math.min(Number(given), maxTimeout);
  return { pointer: `/header/${name}`, detail: 'must be a positive integer, in milliseconds' };
}

/**
 * How long a count of a rate limit may take, in milliseconds. Counting precedes validation, so this
 * function ignores an invalid timeout header.
 */
export function maxWaitOf(settings: GatewaySettings, req: IncomingMessage, fallback: number): number {
  const given = Number(req.headers[settings.timeoutHeader.toLowerCase()]);
  return given > 0 ? Math.min(given, settings.maxTimeout) : fallback;
}
