/**
 * The faults of one source. Reading a document of the operator collects all of them; reading a
 * worker's contract stops at the first one.
 */
import { ContractError, type ContractPlace } from '../../contract/errors.ts';

/** Maximum number of faults to collect. */
const MAX_FAULTS = 100;

const MORE = 'there may be more faults; these come first';

/** Collects the faults of one source, or throws the first one. */
export class Faults {
  private readonly found: ContractError[];

  /**
   * @param collect whether to collect faults; otherwise the first one is thrown.
   * @param known faults that were found earlier.
   */
  constructor(
    private readonly collect: boolean,
    known: readonly ContractError[] = [],
  ) {
    this.found = [...known];
  }

  /**
   * Adds a fault.
   *
   * @throws {ContractError} with this fault when faults are not collected, or with all of them when
   *   there are too many.
   */
  add(fault: ContractError): void {
    if (!this.collect) throw fault;
    this.found.push(...fault.faults);
    if (this.found.length < MAX_FAULTS) return;
    throw ContractError.of([...this.found.slice(0, MAX_FAULTS), new ContractError(MORE)]);
  }

  /**
   * Runs a step and returns its result. If it throws a ContractError, adds the error with its place
   * and returns undefined.
   */
  attempt<T>(step: () => T, place: ContractPlace = {}): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      this.add(error.around(place));
      return undefined;
    }
  }

  /** Returns whether there is a fault at a JSON pointer or below it. */
  touch(pointer: string): boolean {
    return this.found.some(({ place }) => place.pointer !== undefined && isWithin(place.pointer, pointer));
  }

  /** The faults collected so far. */
  get list(): readonly ContractError[] {
    return this.found;
  }

  /**
   * Ends the collection.
   *
   * @throws {ContractError} with all faults when there are any.
   */
  throwIfAny(): void {
    if (this.found.length > 0) throw ContractError.of(this.found);
  }
}

function isWithin(pointer: string, around: string): boolean {
  return pointer === around || pointer.startsWith(`${around}/`);
}
