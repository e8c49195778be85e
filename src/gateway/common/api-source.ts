/** What the gateway needs from others, as interfaces: where its document comes from, and where its log goes. */

import { toError } from '../../core/messages/errors.ts';
import type { ApiSnapshot } from '../../openapi/model/operation.ts';

/** Something that has an API document and tells when it changes; an `ApiRegistry` is one. */
export interface ApiSource {
  /** The document and its route table as they are now. */
  snapshot(): ApiSnapshot;
  /** Calls the listener after each change. */
  on(event: 'change', listener: () => void): unknown;
  off(event: 'change', listener: () => void): unknown;
}

/** Contracts that reach the API source from elsewhere after the gateway has started; `LiveContracts` is one. */
export interface AwaitedContracts {
  /** Whether all that were expected at the start are there, or are not waited for longer. */
  readonly complete: boolean;
}

/** Where the gateway writes its log. A pino logger is one. */
export interface GatewayLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;

/** A log that nobody reads. */
export const SILENT: GatewayLogger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The same log, but one whose methods never throw: a full disk must fail neither requests nor the process. */
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

/** A source whose document never changes; for tests, and for programs that make their document by hand. */
export function fixedApi(snapshot: ApiSnapshot): ApiSource {
  return { snapshot: () => snapshot, on: nothing, off: nothing };
}
