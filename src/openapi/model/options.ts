/** Options for reading a source. */

import type { ContractLimits } from './limits.ts';
import type { Problems } from './problems.ts';

/** Origin of a source: a document of the operator, or a worker, which is not trusted. */
export type SourceKind = 'document' | 'worker';

/**
 * How to treat operations without `x-event-name`: derive an event name from the `operationId`, skip
 * the operation, or reject the source.
 */
export type Unnamed = 'operationId' | 'skip' | 'reject';

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
  /** Collects the problems of the source. */
  readonly problems: Problems;
}
