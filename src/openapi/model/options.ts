/**
 * How a source is read.
 */
import type { Faults } from './faults.ts';
import type { ContractLimits } from './limits.ts';

/** Where a source comes from: the operator's document, or a worker that nobody vouches for. */
export type SourceKind = 'document' | 'worker';

/** What becomes of operations without `x-event-name`. */
export type Unnamed = 'operationId' | 'skip' | 'refuse';

/** How a source is read. */
export interface IngestOptions {
  readonly kind: SourceKind;
  readonly unnamed: Unnamed;
  /** Put before each path, such as `/v1`. */
  readonly prefix: string;
  readonly limits: ContractLimits;
  /** Security schemes that the document may name without defining them. */
  readonly securitySchemes: ReadonlySet<string>;
  /** Security schemes that a worker may demand; undefined: those that it defines. */
  readonly configuredSchemes: ReadonlySet<string> | undefined;
  /** Takes the faults that are found. */
  readonly faults: Faults;
}
