/** Contracts as others see them: what a router tells of them, and what it asks about them. */

/** One contract. */
export interface AnnouncedContract {
  readonly name: string;
  /** OpenAPI fragment, as announced. */
  readonly fragment: unknown;
  /** Events that its operations lead to. The workers announced them, and their keys allow to serve them. */
  readonly events: readonly string[];
  /** Whether any worker serves it now. */
  readonly available: boolean;
}

/** What two versions of a contract are to each other. */
export interface VersionComparison {
  /** Why the later version cannot stand in for the earlier one; undefined when it can. */
  readonly reason: string | undefined;
  /** Events whose data differs. */
  readonly changed: readonly string[];
}

/** Decides whether contracts fit together; throws an error whose message names the conflict. */
export interface ContractChecker {
  /** @param events the only ones that operations of the contract may lead to. */
  put(name: string, fragment: unknown, events: readonly string[]): void;
  setAvailable(name: string, available: boolean): void;
  /** A contract that nobody serves made room for a new one. */
  remove?(name: string): void;
  /** Whether a contract still stands; one that nobody serves may have given way to what was put. Default: it does. */
  has?(name: string): boolean;
  /** Compares versions of a contract. Default: workers of different versions do not serve side by side. */
  compare?(before: unknown, after: unknown): VersionComparison;
  /**
   * As `put`, in steps: a generator that yields between them. The router runs the steps of a large contract in slices and
   * does its other work in between. What is served changes in the last step. Default: `put`.
   */
  putting?(name: string, fragment: unknown, events: readonly string[]): Generator<void, void, void>;
  /** As `compare`, in steps. Default: `compare`. */
  comparing?(before: unknown, after: unknown): Generator<void, VersionComparison, void>;
}
