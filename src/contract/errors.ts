import { ZeroMQError } from '../core/messages/errors.ts';

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

/**
 * A contract, fragment or API document cannot be used. The message names the place and the reason; where several
 * faults were found, it has a line for each.
 */
export class ContractError extends ZeroMQError {
  /** Place of the first fault. */
  readonly place: ContractPlace;
  /** Reason of the first fault, without its place. */
  readonly reason: string;
  private readonly several: readonly ContractError[] | undefined;

  constructor(
    reason: string,
    place: ContractPlace = {},
    options: ErrorOptions & { readonly faults?: readonly ContractError[] } = {},
  ) {
    const { faults, ...rest } = options;
    const message = faults?.map((fault) => fault.message).join('\n') ?? describe(reason, place);
    super('INVALID_CONTRACT', message, rest);
    this.place = place;
    this.reason = reason;
    this.several = faults;
  }

  /** One error for all faults given, of which there must be at least one. */
  static of(faults: readonly ContractError[]): ContractError {
    const [first, ...others] = faults;
    if (first === undefined) throw new TypeError('an error needs at least one fault');
    return others.length === 0 ? first : new ContractError(first.reason, first.place, { faults });
  }

  /** Each fault by itself. */
  get faults(): readonly ContractError[] {
    return this.several ?? [this];
  }

  /** The same error with another or a more exact place. */
  within(place: ContractPlace): ContractError {
    return this.placed((own) => ({ ...own, ...place }));
  }

  /** The same error with a place around it: what is known of its own place stays. */
  around(place: ContractPlace): ContractError {
    return this.placed((own) => ({ ...place, ...own }));
  }

  private placed(place: (own: ContractPlace) => ContractPlace): ContractError {
    if (this.several !== undefined) return ContractError.of(this.several.map((fault) => fault.placed(place)));
    return new ContractError(this.reason, place(this.place), { cause: this.cause });
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
