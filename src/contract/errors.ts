import { ZeroMQError } from '../core/errors.ts';

/** Where in a contract or API document something is wrong; what is not known is left out. */
export interface ContractPlace {
  /** Name of the source: a file, or a worker's contract. */
  readonly source?: string;
  readonly method?: string;
  readonly path?: string;
  readonly event?: string;
  /** JSON pointer into the document or fragment. */
  readonly pointer?: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  /** Column in that line, from 1. */
  readonly column?: number;
}

/** A contract, fragment or API document cannot be used. The message names the place and the reason. */
export class ContractError extends ZeroMQError {
  readonly place: ContractPlace;
  /** The reason alone, without the place. */
  readonly reason: string;

  constructor(reason: string, place: ContractPlace = {}, options: ErrorOptions = {}) {
    super('INVALID_CONTRACT', describe(reason, place), options);
    this.place = place;
    this.reason = reason;
  }

  /** The same error with more known of its place. */
  within(place: ContractPlace): ContractError {
    return new ContractError(this.reason, { ...this.place, ...place }, { cause: this.cause });
  }
}

function describe(reason: string, place: ContractPlace): string {
  const parts: string[] = [];
  if (place.source !== undefined) {
    const line = place.line === undefined ? '' : `:${place.line}`;
    const column = place.line === undefined || place.column === undefined ? '' : `:${place.column}`;
    parts.push(`${place.source}${line}${column}`);
  }
  if (place.path !== undefined) {
    parts.push(place.method === undefined ? place.path : `${place.method.toUpperCase()} ${place.path}`);
  }
  if (place.event !== undefined) parts.push(`event ${place.event}`);
  if (place.pointer !== undefined) parts.push(`at #${place.pointer}`);
  return [...parts, reason].join(': ');
}
