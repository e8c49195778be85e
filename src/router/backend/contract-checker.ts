/** Contracts announced to a router, and the interface that checks them. */

/** A contract that workers announced. */
export interface AnnouncedContract {
  /** Name of the contract. */
  readonly name: string;
  /** The announced OpenAPI fragment. */
  readonly fragment: unknown;
  /**
   * Events that its operations lead to. Its workers announced them, and their keys allow serving
   * them.
   */
  readonly events: readonly string[];
  /** Whether a worker serves it now. */
  readonly available: boolean;
}

/** Result of comparing two versions of a contract. */
export interface VersionComparison {
  /** Why the later version is incompatible with the earlier one; undefined if it is compatible. */
  readonly reason: string | undefined;
  /** Events whose data differs. */
  readonly changed: readonly string[];
}

/**
 * Checks the contracts that workers announce, for the router option `contractChecker`. Its methods
 * throw an error whose message names the conflict. `contractChecker(registry)` of
 * `zeromq-gateway/gateway` creates one for an `ApiRegistry`.
 *
 * @example
 * ```ts
 * const names = new Set<string>();
 * const checker: ContractChecker = {
 *   put: (name) => void names.add(name),
 *   setAvailable: () => undefined,
 *   has: (name) => names.has(name),
 * };
 * ```
 */
export interface ContractChecker {
  /**
   * Adds or replaces a contract.
   *
   * @param name name of the contract.
   * @param fragment the announced OpenAPI fragment.
   * @param events the only events that operations of the contract may use.
   */
  put(name: string, fragment: unknown, events: readonly string[]): void;
  /**
   * Sets whether a worker serves a contract.
   *
   * @param name name of the contract.
   * @param available whether a worker serves it.
   */
  setAvailable(name: string, available: boolean): void;
  /** Removes a contract that no worker serves, to make room for a new one. */
  remove?(name: string): void;
  /**
   * Whether a contract is still present; `put` may have replaced one that no worker serves.
   * Default: it is.
   */
  has?(name: string): boolean;
  /**
   * Compares two versions of a contract. Default: workers of different versions cannot serve side
   * by side.
   */
  compare?(before: unknown, after: unknown): VersionComparison;
  /**
   * As `put`, as a generator that yields between steps. The router runs the steps of a large
   * contract in slices and does its other work in between. The served document changes in the last
   * step. Default: `put`.
   */
  putting?(name: string, fragment: unknown, events: readonly string[]): Generator<void, void, void>;
  /** As `compare`, in steps. Default: `compare`. */
  comparing?(before: unknown, after: unknown): Generator<void, VersionComparison, void>;
}
