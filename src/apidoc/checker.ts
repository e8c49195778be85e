/** A registry as a router asks it: do the contracts of its workers fit together? */
import type { ContractComparison } from './compatibility.ts';
import type { ReadContract } from './read-contract.ts';
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
}

/**
 * Puts the contracts that workers bring to a router into a registry, which refuses by name what does not fit. For the
 * option `contractChecker` of a router; a gateway that has the same registry serves these contracts.
 */
export function contractChecker(registry: ApiRegistry): RegistryChecker {
  const known = new KnownContracts(registry);
  return {
    put: (name, fragment, events) => known.put(name, fragment, events),
    setAvailable: (name, available) => void registry.setAvailable(name, available),
    remove: (name) => void registry.remove(name),
    has: (name) => registry.has(name),
    compare: (before, after) => known.compare(before, after),
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

  put(name: string, fragment: unknown, events: readonly string[] | undefined): void {
    const { registry, served } = this;
    registry.put(name, this.find(fragment) ?? fragment, { kind: 'worker', events });
    this.compared = undefined;
    const contract = registry.contractOf(name);
    if (contract !== undefined) served.set(name, { fragment, contract });
    for (const [other, known] of served) {
      if (registry.contractOf(other) !== known.contract) served.delete(other);
    }
  }

  compare(before: unknown, after: unknown): ContractComparison {
    return this.registry.compare(this.read(before), this.read(after));
  }

  private read(fragment: unknown): ReadContract {
    const known = this.find(fragment);
    if (known !== undefined) return known;
    const contract = this.registry.read(fragment);
    this.compared = { fragment, contract };
    return contract;
  }

  private find(fragment: unknown): ReadContract | undefined {
    const all = [this.compared, ...this.served.values()];
    return all.find((known) => known?.fragment === fragment)?.contract;
  }
}
