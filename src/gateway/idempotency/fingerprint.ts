/** The fingerprint of a request: the same key with other event data is another request. */
import { createHash } from 'node:crypto';

/** SHA-256 of the bytes of the event data, which the gateway builds in the order of the document. */
export function fingerprintOf(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
