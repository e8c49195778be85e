/** Options of a registry and of its sources. */
import type { ContractError } from '../../contract/errors.ts';
import type { ContractLimits } from '../model/limits.ts';
import type { SourceKind, Unnamed } from '../model/options.ts';
import type { DocumentBase } from '../normalise/merged.ts';

/** Options of an {@link ApiRegistry}. */
export interface ApiRegistryOptions extends DocumentBase {
  /**
   * How to treat operations without `x-event-name`: `operationId` derives an event name, `skip`
   * leaves the operation out, and `reject` rejects the source.
   *
   * @defaultValue `'operationId'`
   */
  readonly unnamed?: Unnamed;
  /**
   * Limits on contracts that workers announce.
   *
   * @defaultValue `WORKER_LIMITS`, such as 1 MiB and 5,000 operations; also for each omitted limit
   */
  readonly workerLimits?: Partial<ContractLimits>;
  /**
   * Limits on the operator's documents.
   *
   * @defaultValue `DOCUMENT_LIMITS`, such as 64 MiB and 50,000 operations; also for each omitted
   * limit
   */
  readonly documentLimits?: Partial<ContractLimits>;
  /**
   * Names of the security schemes that the gateway configures. The registry rejects a worker's
   * contract that requires another one.
   *
   * @defaultValue undefined: a contract may require every defined scheme, and the gateway omits
   * operations that it cannot protect
   */
  readonly configuredSchemes?: readonly string[];
  /**
   * Maximum number of operations in all sources together.
   *
   * @defaultValue 50,000
   */
  readonly maxOperations?: number;
}

/** Options of one source of an {@link ApiRegistry}. */
export interface PutOptions {
  /**
   * Prefix of every path of the source, such as `/v1`.
   *
   * @defaultValue no prefix
   */
  readonly prefix?: string;
  /**
   * How to treat operations of this source without `x-event-name`.
   *
   * @defaultValue {@link ApiRegistryOptions.unnamed} of the registry
   */
  readonly unnamed?: Unnamed;
  /**
   * Kind of the source: `document` for a document of the operator, `worker` for a worker's
   * contract, which has lower limits.
   *
   * @defaultValue `'document'`
   */
  readonly kind?: SourceKind;
  /**
   * Whether a worker serves the source now.
   *
   * @defaultValue true
   */
  readonly available?: boolean;
  /**
   * Events that the operations may use. The registry rejects a source with any other event.
   *
   * @defaultValue undefined: every event is allowed
   */
  readonly events?: readonly string[] | undefined;
  /**
   * Maximum size of the source, in bytes.
   *
   * @defaultValue the limit of its kind
   */
  readonly maxBytes?: number | undefined;
  /**
   * Problems found while the source was read from its files. If there are any, the registry rejects
   * the source and reports them together with those that it finds itself.
   *
   * @defaultValue `[]`
   */
  readonly problems?: readonly ContractError[];
  /**
   * Receives each warning after the source was added.
   *
   * @defaultValue undefined: warnings are discarded
   */
  readonly onWarning?: (warning: ContractError) => void;
}
