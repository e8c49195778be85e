/** A contract that was read, kept with its fingerprints so that it need not be read again. */
import { Fingerprints } from './fingerprint.ts';
import type { Ingested } from './ingested.ts';

export class ReadContract {
  readonly fingerprints: Fingerprints;

  constructor(readonly ingested: Ingested) {
    this.fingerprints = new Fingerprints(ingested);
  }
}
