/** Versions of one contract that workers serve side by side. Gateways serve the newest one. */
import type { Cancel } from '../../core/time/clock.ts';
import type { Steps } from '../../core/time/steps.ts';
import type { ContractChecker, VersionComparison } from './contract-checker.ts';

/** A version of a contract. */
export interface AnnouncedVersion {
  readonly fragment: unknown;
  readonly events: readonly string[];
  /** Number of its operations. */
  readonly operations: number;
  readonly json: string;
  /**
   * Rank by event: workers of the highest rank receive requests first. Events not listed have rank
   * 0.
   */
  readonly ranks: ReadonlyMap<string, number>;
  workers: number;
}

/** Reference of a worker to the contract version that it announced, until it releases it. */
export interface ContractHold {
  readonly name: string;
  readonly version: AnnouncedVersion;
}

/** Where a version stands among the others. */
interface VersionPlace {
  /** It is later than all others. */
  readonly later: boolean;
  /** How many versions are earlier. */
  readonly index: number;
  readonly ranks: AnnouncedVersion['ranks'];
}

/** Maximum number of versions of one contract at a time. */
const MAX_VERSIONS = 8;

/** Ranks of a contract without versions. */
export const NO_RANKS: ReadonlyMap<string, number> = new Map();

export class ContractVersions {
  /** Ends the period in which the newest version is served without a worker. */
  fallBackTimer: Cancel | undefined;
  /** The versions that workers serve and the newest one, in order of arrival. */
  private readonly versions: AnnouncedVersion[];

  constructor(
    private current: AnnouncedVersion,
    private readonly checker: ContractChecker | undefined,
  ) {
    this.versions = [current];
  }

  get newest(): AnnouncedVersion {
    return this.current;
  }

  /** Number of workers of all versions. */
  get workers(): number {
    return this.versions.reduce((sum, { workers }) => sum + workers, 0);
  }

  /** Total size of all versions, in characters. */
  get size(): number {
    return this.versions.reduce((sum, { json }) => sum + json.length, 0);
  }

  /** The version with that JSON text. */
  find(json: string): AnnouncedVersion | undefined {
    return this.versions.find((version) => version.json === json);
  }

  /**
   * Ranks a new version by event: above the newest version if it is a later one and the event's
   * data differs, and below it if it is an earlier one.
   *
   * @returns its ranks, or why it is incompatible with the newest version in both directions.
   */
  *rank(fragment: unknown): Steps<VersionPlace | string> {
    const { current, checker, versions } = this;
    if (checker?.compare === undefined) return 'it differs from the one that other workers serve';
    if (versions.length >= MAX_VERSIONS) return `${MAX_VERSIONS} versions of it are served already`;
    const forwards = yield* compared(checker, current.fragment, fragment);
    if (forwards.reason === undefined) {
      return { later: true, index: versions.length, ranks: this.ranksOf(forwards.changed, 1) };
    }
    const backwards = yield* compared(checker, fragment, current.fragment);
    if (backwards.reason !== undefined) return misfit(forwards.reason);
    const index = yield* this.indexOf(fragment, checker);
    if (typeof index === 'string') return misfit(index);
    return { later: false, index, ranks: this.ranksOf(backwards.changed, -1) };
  }

  add(version: AnnouncedVersion, { later, index }: Omit<VersionPlace, 'ranks'>): void {
    this.versions.splice(index, 0, version);
    if (later) this.current = version;
  }

  /** Drops a version that no worker serves, unless it is the newest one. */
  drop(version: AnnouncedVersion): void {
    const index = this.versions.indexOf(version);
    if (index >= 0 && version !== this.current) this.versions.splice(index, 1);
  }

  /**
   * The version to serve instead of the newest one, if no worker serves the newest one but one
   * serves an earlier one.
   */
  successor(): AnnouncedVersion | undefined {
    const { current, versions } = this;
    if (current.workers > 0) return undefined;
    return versions.findLast((version) => version !== current && version.workers > 0);
  }

  /** Makes an earlier version the newest one again. */
  fallBack(version: AnnouncedVersion): void {
    const former = this.current;
    this.current = version;
    this.drop(former);
  }

  /** Where a version stands that is earlier than the newest one, or why it fits to no place. */
  private *indexOf(fragment: unknown, checker: ContractChecker): Steps<number | string> {
    const { versions } = this;
    for (let index = versions.length - 2; index >= 0; index -= 1) {
      const other = versions[index]?.fragment;
      const forwards = yield* compared(checker, other, fragment);
      if (forwards.reason === undefined) return index + 1;
      const backwards = yield* compared(checker, fragment, other);
      if (backwards.reason !== undefined) return forwards.reason;
    }
    return 0;
  }

  private ranksOf(changed: readonly string[], step: 1 | -1): ReadonlyMap<string, number> {
    const ranks = new Map(this.current.ranks);
    for (const event of changed) ranks.set(event, (ranks.get(event) ?? 0) + step);
    return ranks;
  }
}

function misfit(reason: string): string {
  return `it does not fit to the one that other workers serve: ${reason}`;
}

function* compared(checker: ContractChecker, before: unknown, after: unknown): Steps<VersionComparison> {
  if (checker.comparing !== undefined) return yield* checker.comparing(before, after);
  return checker.compare?.(before, after) ?? { reason: 'it cannot be compared', changed: [] };
}
