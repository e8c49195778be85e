import { ZeroMQError } from '../core/messages/errors.ts';

/** Location of a problem in a contract or API document; unknown parts are absent. */
export interface ContractLocation {
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
 *
 * @example
 * ```ts
 * try {
 *   putDocument(registry, 'api.yaml');
 * } catch (error) {
 *   if (!(error instanceof ContractError)) throw error;
 *   for (const { location, reason } of error.problems) console.error(location.line, reason);
 * }
 * ```
 */
export class ContractError extends ZeroMQError {
  /** Location of the first problem. */
  readonly location: ContractLocation;
  /** Reason of the first problem, without its location. */
  readonly reason: string;
  private readonly several: readonly ContractError[] | undefined;

  /**
   * @param reason what is wrong, without the location.
   * @param location where it is wrong.
   * @param options `cause`, and `problems` of an error that combines several.
   */
  constructor(
    reason: string,
    location: ContractLocation = {},
    options: ErrorOptions & { readonly problems?: readonly ContractError[] } = {},
  ) {
    const { problems, ...rest } = options;
    const message = problems?.map((problem) => problem.message).join('\n') ?? describe(reason, location);
    super('INVALID_CONTRACT', message, rest);
    this.location = location;
    this.reason = reason;
    this.several = problems;
  }

  /**
   * Combines errors into one.
   *
   * @param problems the errors, at least one.
   * @returns the only error, or one whose `problems` are these.
   * @throws {TypeError} when the list is empty.
   */
  static of(problems: readonly ContractError[]): ContractError {
    const [first, ...others] = problems;
    if (first === undefined) throw new TypeError('an error needs at least one problem');
    return others.length === 0 ? first : combined(first, problems);
  }

  /** The individual problems; the error itself if there is only one. */
  get problems(): readonly ContractError[] {
    return this.several ?? [this];
  }

  /**
   * Returns the error with a more exact location, which overrides its own.
   *
   * @param location the parts of the location to replace.
   */
  within(location: ContractLocation): ContractError {
    return this.located((own) => ({ ...own, ...location }));
  }

  /**
   * Returns the error with an enclosing location, which its own overrides.
   *
   * @param location the parts of the location to add where they are missing.
   */
  around(location: ContractLocation): ContractError {
    return this.located((own) => ({ ...location, ...own }));
  }

  private located(location: (own: ContractLocation) => ContractLocation): ContractError {
    if (this.several !== undefined) {
      const problems = this.several.map((problem) => problem.located(location));
      return combined(problems[0] ?? this, problems);
    }
    return new ContractError(this.reason, location(this.location), { cause: this.cause });
  }
}

function combined(first: ContractError, problems: readonly ContractError[]): ContractError {
  return new ContractError(first.reason, first.location, { problems });
}

function describe(reason: string, location: ContractLocation): string {
  const parts: string[] = [];
  if (location.source !== undefined) {
    const line = location.line === undefined ? '' : `:${location.line}`;
    const column = location.line === undefined || location.column === undefined ? '' : `:${location.column}`;
    parts.push(`${location.source}${line}${column}`);
  }
  if (location.path !== undefined) {
    parts.push(
      location.method === undefined ? location.path : `${location.method.toUpperCase()} ${location.path}`,
    );
  }
  if (location.event !== undefined) parts.push(`event ${location.event}`);
  if (location.pointer !== undefined) parts.push(`at #${location.pointer}`);
  return [...parts, reason].join(': ');
}
