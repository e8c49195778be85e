/** What a source is once it is normalised, before it is merged with others. */
import type { ContractError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { HttpMethod } from './operation.ts';

/** One operation of a normalised document. */
export interface IngestedOperation {
  readonly path: string;
  readonly shape: string;
  readonly names: readonly string[];
  readonly method: HttpMethod;
  readonly eventName: string;
  /** JSON pointer in the source. */
  readonly pointer: string;
}

/** A source, normalised; names are its own yet. */
export interface Ingested {
  readonly document: JsonObject;
  /** By section and name. */
  readonly components: Readonly<Record<string, JsonObject>>;
  readonly operations: readonly IngestedOperation[];
  /** What can be served, but not as its author may think. */
  readonly warnings: readonly ContractError[];
}
