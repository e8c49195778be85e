/**
 * Lifecycle messages of a node (started, bound, connected, heartbeat lost …). Nodes log them at
 * INFO, like the Python original. Commands print a ready line of their own and log them at DEBUG.
 * Requests that time out or lose their worker are logged as warnings.
 */
import type { Logger } from '../logging/logging.ts';

/** Marks loggers that log lifecycle messages at DEBUG. */
const QUIET = Symbol('facts at debug');

/** Marks loggers that log failed requests at DEBUG. */
const QUIET_REQUESTS = Symbol('failed requests at debug');

/** Logs a failed request. */
export function logFailedRequest(logger: Logger, fields: object, message: string): void {
  if (QUIET_REQUESTS in logger) logger.debug(fields, message);
  else logger.warn(fields, message);
}

/** Derives a logger for a process that writes a line for each request itself. */
export function withQuietRequests(logger: Logger): Logger {
  const child = (fields: Record<string, unknown>): Logger => withQuietRequests(logger.child(fields));
  return Object.create(logger, { child: { value: child }, [QUIET_REQUESTS]: { value: true } }) as Logger;
}

/** Logs a lifecycle message. */
export function logFact(logger: Logger, fields: object, message: string): void {
  if (QUIET in logger) logger.debug(fields, message);
  else logger.info(fields, message);
}

/** Derives a logger that logs lifecycle messages at DEBUG, as do its children. */
export function withQuietFacts(logger: Logger): Logger {
  const child = (fields: Record<string, unknown>): Logger => withQuietFacts(logger.child(fields));
  return Object.create(logger, { child: { value: child }, [QUIET]: { value: true } }) as Logger;
}
