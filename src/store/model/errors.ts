/**
 * model: the interface of a store, the states of a request, and what both implementations share.
 *
 * Errors of stores.
 */
import { ZeroMQError } from '../../core/messages/errors.ts';

/** The database cannot be reached or written. The gateway responds with 503. */
export class StoreUnavailableError extends ZeroMQError {}

/** The error for a failure of the database. */
export function unavailable(cause: unknown): StoreUnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreUnavailableError('STORE_UNAVAILABLE', `the store cannot be used: ${reason}`, {
    status: 503,
    dispatched: false,
    cause,
  });
}

/** The error for a change after `close`. */
export function closedError(): StoreUnavailableError {
  return unavailable(new Error('it is closed'));
}
