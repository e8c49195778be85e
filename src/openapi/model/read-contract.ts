/** Contracts that were read once and are used several times. */
import { Fingerprints } from './fingerprint.ts';
import type { Ingested } from './ingested.ts';

/**
 * A contract that was read, with its fingerprints. It can be compared and added without reading it
 * again.
 */
export class ReadContract {
  readonly fingerprints: Fingerprints;

  constructor(readonly ingested: Ingested) {
    this.fingerprints = new Fingerprints(ingested);
  }
}
