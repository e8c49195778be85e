/** The faults of one source: all at once for the operator's documents, the first alone for workers' contracts. */
import { ContractError, type ContractPlace } from '../../contract/errors.ts';

/** More faults than these are not looked for. */
const MAX_FAULTS = 100;

const MORE = 'there may be more faults; these come first';

export class Faults {
  private readonly found: ContractError[];

  /**
   * @param collect false: the first fault is thrown at once.
   * @param known faults that were found before.
   */
  constructor(
    private readonly collect: boolean,
    known: readonly ContractError[] = [],
  ) {
    this.found = [...known];
  }

  /** @throws the fault when faults are not collected, all of them when there are too many. */
  add(fault: ContractError): void {
    if (!this.collect) throw fault;
    this.found.push(...fault.faults);
    if (this.found.length < MAX_FAULTS) return;
    throw ContractError.of([...this.found.slice(0, MAX_FAULTS), new ContractError(MORE)]);
  }

  /** Runs a step; undefined when it throws a ContractError, which is kept with the place around it. */
  attempt<T>(step: () => T, place: ContractPlace = {}): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      this.add(error.around(place));
      return undefined;
    }
  }

  /** Whether there is a fault at the place of a JSON pointer or below it. */
  touch(pointer: string): boolean {
    return this.found.some(({ place }) => place.pointer !== undefined && isWithin(place.pointer, pointer));
  }

  get list(): readonly ContractError[] {
    return this.found;
  }

  /** @throws ContractError with every fault, when there is one. */
  throwIfAny(): void {
    if (this.found.length > 0) throw ContractError.of(this.found);
  }
}

function isWithin(pointer: string, around: string): boolean {
  return pointer === around || pointer.startsWith(`${around}/`);
}
