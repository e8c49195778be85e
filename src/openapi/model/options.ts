/** Options for reading a source. */
import type { Faults } from './faults.ts';
import type { ContractLimits } from './limits.ts';

/** Origin of a source: a document of the operator, or a worker, which is not trusted. */
export type SourceKind = 'document' | 'worker';

/**
 * How to treat operations without `x-event-name`: derive an event name from the `operationId`, skip
 * the operation, or reject the source.
 */
export type Unnamed = 'operationId' | 'skip' | 'refuse';

/** Options for reading a source. */
export interface IngestOptions {
  readonly kind: SourceKind;
  readonly unnamed: Unnamed;
  /** Prefix of every path, such as `/v1`. */
  readonly prefix: string;
  readonly limits: ContractLimits;
  /** Security schemes that the document may use without defining them. */
  readonly securitySchemes: ReadonlySet<string>;
  /**
   * Security schemes that a worker may require; undefined if it may require every scheme that is
   * defined.
   */
  readonly configuredSchemes: ReadonlySet<string> | undefined;
  /** Collects the faults of the source. */
  readonly faults: Faults;
}
