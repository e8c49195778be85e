/**
 * Registry: the registry of all sources (registry.ts), the loading of documents from files
 * (load.ts), and the reloading of documents that change (watch.ts).
 *
 * This file connects a registry to a router, which checks the contracts of its workers with it.
 */
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import type { ContractComparison } from '../checks/compatibility.ts';
import type { ReadContract } from '../model/read-contract.ts';
import type { ApiRegistry } from './registry.ts';

/** Adds the contracts of workers to a registry, for a router's `contractChecker` option. */
export interface RegistryChecker {
  /**
   * Adds or replaces a contract.
   *
   * @param name name of the contract's source.
   * @param fragment the contract as the worker announced it.
   * @param events events that the contract may use; by default every event.
   * @throws {ContractError} when the contract is not valid or conflicts with another source.
   */
  put(name: string, fragment: unknown, events?: readonly string[]): void;
  /** Sets whether a worker serves the contract. */
  setAvailable(name: string, available: boolean): void;
  /** Removes a contract. */
  remove(name: string): void;
  /** Returns whether a contract of this name exists. */
  has(name: string): boolean;
  /**
   * Compares two versions of a contract.
   *
   * @throws {ContractError} when one of the versions is not a valid contract.
   */
  compare(before: unknown, after: unknown): ContractComparison;
  /** Does the same as `put`, in steps. What the registry serves changes in the last step. */
  putting(name: string, fragment: unknown, events?: readonly string[]): Steps<void>;
  /** Does the same as `compare`, in steps. */
  comparing(before: unknown, after: unknown): Steps<ContractComparison>;
}

/**
 * Creates the contract checker of a router. It adds the contracts that workers announce to a
 * registry and rejects those that are not valid or conflict with another source. A gateway that
 * uses the same registry serves these contracts.
 *
 * @param registry the registry that receives the contracts.
 * @returns the value of the router option `contractChecker`.
 */
export function contractChecker(registry: ApiRegistry): RegistryChecker {
  const known = new KnownContracts(registry);
  return {
    put: (name, fragment, events) => runAtOnce(known.putting(name, fragment, events)),
    setAvailable: (name, available) => void registry.setAvailable(name, available),
    remove: (name) => void registry.remove(name),
    has: (name) => registry.has(name),
    compare: (before, after) => runAtOnce(known.comparing(before, after)),
    putting: (name, fragment, events) => known.putting(name, fragment, events),
    comparing: (before, after) => known.comparing(before, after),
  };
}

/** A fragment as the router passed it, and the contract read from it. */
interface Known {
  readonly fragment: unknown;
  readonly contract: ReadContract;
}

/**
 * Contracts read earlier, by fragment. A router never modifies a fragment, so the same object is
 * the same contract.
 */
class KnownContracts {
  /** Contracts in the registry, by source name. */
  private readonly served = new Map<string, Known>();
  /** The version compared last, which usually is the next one to be added. */
  private compared: Known | undefined;

  constructor(private readonly registry: ApiRegistry) {}

  *putting(name: string, fragment: unknown, events: readonly string[] | undefined): Steps<void> {
    const { registry, served } = this;
    yield* registry.putting(name, this.find(fragment) ?? fragment, { kind: 'worker', events });
    this.compared = undefined;
    const contract = registry.contractOf(name);
    if (contract !== undefined) served.set(name, { fragment, contract });
    for (const [other, known] of served) {
      if (registry.contractOf(other) !== known.contract) served.delete(other);
    }
  }

  *comparing(before: unknown, after: unknown): Steps<ContractComparison> {
    return yield* this.registry.comparing(yield* this.reading(before), yield* this.reading(after));
  }

  private *reading(fragment: unknown): Steps<ReadContract> {
    const known = this.find(fragment);
    if (known !== undefined) return known;
    const contract = yield* this.registry.reading(fragment);
    this.compared = { fragment, contract };
    return contract;
  }

  private find(fragment: unknown): ReadContract | undefined {
    const all = [this.compared, ...this.served.values()];
    return all.find((known) => known?.fragment === fragment)?.contract;
  }
}
