/**
 * Facts of a node's life (started, bound, connected, heartbeat lost …), as it logs them: at INFO, like the Python original.
 * Commands, which print a line of their own once they are ready, have them logged at DEBUG.
 */
import type { Logger } from '../logging/logging.ts';

/** Set in loggers that log facts at DEBUG. */
const QUIET = Symbol('facts at debug');

/** Logs a fact. */
export function logFact(logger: Logger, fields: object, message: string): void {
  if (QUIET in logger) logger.debug(fields, message);
  else logger.info(fields, message);
}

/** The same logger, which logs facts at DEBUG; its children do so too. */
export function withQuietFacts(logger: Logger): Logger {
  const child = (fields: Record<string, unknown>): Logger => withQuietFacts(logger.child(fields));
  return Object.create(logger, { child: { value: child }, [QUIET]: { value: true } }) as Logger;
}
