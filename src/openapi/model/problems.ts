/**
 * The problems of one source. Reading a document of the operator collects all of them; reading a
 * worker's contract stops at the first one.
 */
import { ContractError, type ContractLocation } from '../../contract/errors.ts';

/** Maximum number of problems to collect. */
const MAX_PROBLEMS = 100;

const MORE = 'only the first 100 problems are listed';

/** Collects the problems of one source, or throws the first one. */
export class Problems {
  private readonly found: ContractError[];

  /**
   * @param collect whether to collect problems; otherwise the first one is thrown.
   * @param known problems that were found earlier.
   */
  constructor(
    private readonly collect: boolean,
    known: readonly ContractError[] = [],
  ) {
    this.found = [...known];
  }

  /**
   * Adds a problem.
   *
   * @throws {ContractError} with this problem when problems are not collected, or with all of them
   *   when there are too many.
   */
  add(problem: ContractError): void {
    if (!this.collect) throw problem;
    this.found.push(...problem.problems);
    if (this.found.length < MAX_PROBLEMS) return;
    throw ContractError.of([...this.found.slice(0, MAX_PROBLEMS), new ContractError(MORE)]);
  }

  /**
   * Runs a step and returns its result. If it throws a ContractError, adds the error with its
   * location and returns undefined.
   */
  attempt<T>(step: () => T, location: ContractLocation = {}): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      this.add(error.around(location));
      return undefined;
    }
  }

  /** Returns whether there is a problem at a JSON pointer or below it. */
  hasWithin(pointer: string): boolean {
    return this.found.some(
      ({ location }) => location.pointer !== undefined && isWithin(location.pointer, pointer),
    );
  }

  /** The problems collected so far. */
  get list(): readonly ContractError[] {
    return this.found;
  }

  /**
   * Ends the collection.
   *
   * @throws {ContractError} with all problems when there are any.
   */
  throwIfAny(): void {
    if (this.found.length > 0) throw ContractError.of(this.found);
  }
}

function isWithin(pointer: string, around: string): boolean {
  return pointer === around || pointer.startsWith(`${around}/`);
}
