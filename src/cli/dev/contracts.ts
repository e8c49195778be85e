/** The contract checker of the router in `zeromq-gateway dev`: a file may replace its own contract by any other. */
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import {
  type ApiRegistry,
  type ContractComparison,
  contractChecker,
  type RegistryChecker,
} from '../../openapi/index.ts';
import type { ContractChecker } from '../../router/index.ts';

/** What a worker may replace when it registers. */
export interface Replacing {
  /** Its events. */
  readonly events: readonly string[];
  /** Whether an incompatible version of its contract may take the place of the present one. */
  readonly ownsContract: boolean;
  /** Other contracts whose routes and events it may take over. */
  readonly contracts: readonly string[];
}

/** Adds the contracts of workers to a registry. */
export class DevContracts implements ContractChecker {
  private readonly checker: RegistryChecker;
  private replacing: Replacing | undefined;
  private incompatibility: string | undefined;

  constructor(private readonly registry: ApiRegistry) {
    this.checker = contractChecker(registry);
  }

  /**
   * Registers a worker.
   *
   * @param register registers the worker at the router, which calls this checker meanwhile.
   * @returns what `register` returns, and why the contract is incompatible with the one it replaces.
   */
  replace<T>(
    replacing: Replacing,
    register: () => T,
  ): { readonly result: T; readonly incompatibility: string | undefined } {
    this.replacing = replacing;
    this.incompatibility = undefined;
    try {
      return { result: register(), incompatibility: this.incompatibility };
    } finally {
      this.replacing = undefined;
    }
  }

  put(name: string, fragment: unknown, events?: readonly string[]): void {
    runAtOnce(this.putting(name, fragment, events));
  }

  /** Does the same as `put`, in steps. */
  *putting(name: string, fragment: unknown, events?: readonly string[]): Steps<void> {
    const { checker, registry } = this;
    const others = this.replacing?.contracts.filter((other) => other !== name && registry.has(other)) ?? [];
    try {
      yield* checker.putting(name, fragment, events);
    } catch (error) {
      if (others.length === 0) throw error;
      // A contract that no worker serves gives way to others.
      for (const other of others) registry.setAvailable(other, false);
      try {
        yield* checker.putting(name, fragment, events);
      } catch (conflict) {
        for (const other of others) registry.setAvailable(other, true);
        throw conflict;
      }
    }
  }

  setAvailable(name: string, available: boolean): void {
    this.checker.setAvailable(name, available);
  }

  remove(name: string): void {
    this.checker.remove(name);
  }

  has(name: string): boolean {
    return this.checker.has(name);
  }

  compare(before: unknown, after: unknown): ContractComparison {
    return runAtOnce(this.comparing(before, after));
  }

  /** Does the same as `compare`, in steps. */
  *comparing(before: unknown, after: unknown): Steps<ContractComparison> {
    const comparison = yield* this.checker.comparing(before, after);
    const { replacing } = this;
    if (comparison.reason === undefined || replacing?.ownsContract !== true) return comparison;
    this.incompatibility = comparison.reason;
    return { reason: undefined, changed: replacing.events };
  }
}
