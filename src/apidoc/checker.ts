/** A registry as a router asks it: do the contracts of its workers fit together? */
import type { ContractComparison } from './compatibility.ts';
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
  return {
    put: (name, fragment, events) => void registry.put(name, fragment, { kind: 'worker', events }),
    setAvailable: (name, available) => void registry.setAvailable(name, available),
    remove: (name) => void registry.remove(name),
    has: (name) => registry.has(name),
    compare: (before, after) => registry.compare(before, after),
  };
}
