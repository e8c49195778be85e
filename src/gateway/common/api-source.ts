/**
 * common: the vocabulary of all folders of the gateway. Settings, problems, media types, request
 * ids and pipelines.
 *
 * This file has the interfaces that a gateway requires from its host: the source of its document
 * and its logger.
 */
import { toError } from '../../core/messages/errors.ts';
import type { ApiSnapshot } from '../../openapi/model/operation.ts';

/** Provides an API document and reports when it changes. {@link ApiRegistry} implements it. */
export interface ApiSource {
  /** Returns the current document with its operations. */
  snapshot(): ApiSnapshot;
  /** Adds a listener that is called after each change. */
  on(event: 'change', listener: () => void): unknown;
  /** Removes a listener. */
  off(event: 'change', listener: () => void): unknown;
}

/**
 * Contracts that arrive at the API source after the gateway has started. {@link LiveContracts}
 * implements it.
 */
export interface PendingContracts {
  /** Whether all contracts that were expected at the start have arrived, or the wait is over. */
  readonly complete: boolean;
}

/**
 * The logger of a gateway. A pino logger implements it. Each method receives the fields of the log
 * entry, such as `requestId` and `err`, and its message.
 */
export interface GatewayLogger {
  /** Logs details for the analysis of a problem. */
  debug(fields: object, message: string): void;
  /** Logs a normal event, such as a changed document. */
  info(fields: object, message: string): void;
  /** Logs a condition that may need attention, such as a lost connection to Redis. */
  warn(fields: object, message: string): void;
  /** Logs a failure, such as a rejected contract. */
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;

/** A logger that discards all messages. */
export const SILENT: GatewayLogger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/**
 * Wraps a logger so that its methods never throw. A full disk must not fail requests or the
 * process.
 */
export function contained(logger: GatewayLogger): GatewayLogger {
  const wrap =
    (level: keyof GatewayLogger) =>
    (fields: object, message: string): void => {
      try {
        logger[level](fields, message);
      } catch (error) {
        process.emitWarning(`cannot write to the log of the gateway: ${toError(error).message}`);
      }
    };
  return { debug: wrap('debug'), info: wrap('info'), warn: wrap('warn'), error: wrap('error') };
}

/**
 * Creates an API source whose document never changes, for tests and for documents that a program
 * builds itself.
 *
 * @param snapshot the document with its operations.
 * @returns the source.
 */
export function fixedApi(snapshot: ApiSnapshot): ApiSource {
  return { snapshot: () => snapshot, on: nothing, off: nothing };
}
