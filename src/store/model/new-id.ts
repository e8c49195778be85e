/** Ids of new requests. */
import { randomUUID } from 'node:crypto';

/**
 * A UUID of version 7 (RFC 9562, 5.7): the time in ms, then 74 random bits, so that the id cannot be
 * guessed. Ids that were made one after the other are neighbours in the index of the store. Random
 * ids would change almost one page of it for each new request.
 */
export function newRequestId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  // The characters after the version of a random UUID.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
