/** A registry as a router asks it: do the contracts of its workers fit together? */
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import type { ContractComparison } from '../checks/compatibility.ts';
import type { ReadContract } from '../model/read-contract.ts';
import type { ApiRegistry } from './registry.ts';

/** What a router does with a contract that a worker brings; see `ContractChecker` of the router. */
export interface RegistryChecker {
  /** @throws ContractError naming what does not fit. */
  put(name: string, fragment: unknown, events?: readonly string[]): void;
  setAvailable(name: string, available: boolean): void;
  remove(name: string): void;
  has(name: string): boolean;
  /** @throws ContractError when one of the two cannot be served. */
  compare(before: unknown, after: unknown): ContractComparison;
  /** As `put`, in steps; what is served changes in the last one. */
  putting(name: string, fragment: unknown, events?: readonly string[]): Steps<void>;
  /** As `compare`, in steps. */
  comparing(before: unknown, after: unknown): Steps<ContractComparison>;
}

/**
 * Puts the contracts that workers bring to a router into a registry, which refuses by name what does not fit. For the
 * option `contractChecker` of a router; a gateway that has the same registry serves these contracts.
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

/** A fragment as the router passed it, and what was read from it. */
interface Known {
  readonly fragment: unknown;
  readonly contract: ReadContract;
}

/** Contracts that were read before. A router does not change a fragment: the same object is the same contract. */
class KnownContracts {
  /** Sources of the registry, by name. */
  private readonly served = new Map<string, Known>();
  /** A version that was compared, and is likely to be put next. */
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
