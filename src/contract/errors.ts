import { ZeroMQError } from '../core/messages/errors.ts';

/** Location of a problem in a contract or API document; unknown parts are absent. */
export interface ContractPlace {
  /** Name of the source: a file, or a worker's contract. */
  readonly source?: string;
  /** HTTP method of the operation. */
  readonly method?: string;
  /** Path template of the operation. */
  readonly path?: string;
  /** Name of the event. */
  readonly event?: string;
  /** JSON Pointer (RFC 6901) into the document or fragment. */
  readonly pointer?: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  /** Column in the line, from 1. */
  readonly column?: number;
}

/**
 * A contract, fragment or API document is invalid. The message has the location and the reason, on
 * one line per problem. Its code is `INVALID_CONTRACT`.
 */
export class ContractError extends ZeroMQError {
  /** Location of the first problem. */
  readonly place: ContractPlace;
  /** Reason of the first problem, without its location. */
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

  /** Combines errors into one; there must be at least one. */
  static of(faults: readonly ContractError[]): ContractError {
    const [first, ...others] = faults;
    if (first === undefined) throw new TypeError('an error needs at least one fault');
    return others.length === 0 ? first : new ContractError(first.reason, first.place, { faults });
  }

  /** The individual problems. */
  get faults(): readonly ContractError[] {
    return this.several ?? [this];
  }

  /** Returns the error with a more exact location, which overrides its own. */
  within(place: ContractPlace): ContractError {
    return this.placed((own) => ({ ...own, ...place }));
  }

  /** Returns the error with an enclosing location, which its own overrides. */
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
