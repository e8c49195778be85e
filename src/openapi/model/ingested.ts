/** The result of normalising one source, before it is merged with others. */
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

/** A normalised source. Its names are not yet unique among all sources. */
export interface Ingested {
  readonly document: JsonObject;
  /** Components by section and name. */
  readonly components: Readonly<Record<string, JsonObject>>;
  readonly operations: readonly IngestedOperation[];
  /** Problems that do not prevent serving the source but may surprise its author. */
  readonly warnings: readonly ContractError[];
}
