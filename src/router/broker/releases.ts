/**
 * Versions of contracts that workers serve side by side, and how requests are split between them.
 *
 * A weight is a share of the requests in percent. Versions without a weight share what the others
 * leave. If no version of an event has a weight, requests are not split.
 */
import type { RequestExtras } from '../../core/messages/message.ts';

/** The version that a worker announces. */
export interface ReleaseInfo {
  readonly contract: string;
  readonly version: string;
  /** Share of the requests in percent, from 0 to 100; undefined: what other versions leave. */
  readonly weight: number | undefined;
}

/** A version of a contract that workers serve. */
export class Release {
  /** Weight that the worker that joined last announced. */
  announced: number | undefined = undefined;
  workers = 0;

  /** @param assigned weight that an operator set. */
  constructor(
    readonly contract: string,
    readonly version: string,
    public assigned: number | undefined,
  ) {}

  /** The weight of an operator, or else that of the workers. */
  get weight(): number | undefined {
    return this.assigned ?? this.announced;
  }
}

/** A group of workers of one version; undefined for workers without a version. */
interface Released {
  readonly release: Release | undefined;
}

/** Maximum number of weights that operators set. */
const MAX_ASSIGNED = 1000;

export class Releases {
  /** Called when an operator has changed a share. */
  changed: ((now: number) => void) | undefined;
  private readonly known = new Map<string, Release>();
  private readonly assigned = new Map<string, number>();

  /** The versions that workers serve now. */
  get all(): Release[] {
    return [...this.known.values()];
  }

  /** The version of a worker that joins, or announces it again. */
  join(info: ReleaseInfo | undefined): Release | undefined {
    if (info === undefined) return undefined;
    const { contract, version, weight } = info;
    const key = keyOf(contract, version);
    let release = this.known.get(key);
    if (release === undefined) {
      release = new Release(contract, version, this.assigned.get(key));
      this.known.set(key, release);
    }
    release.workers++;
    release.announced = weight;
    return release;
  }

  leave(release: Release | undefined): void {
    if (release === undefined) return;
    release.workers--;
    if (release.workers === 0) this.known.delete(keyOf(release.contract, release.version));
  }

  /**
   * Sets the weight of a version until the router stops, also while no worker serves it.
   *
   * @param weight in percent; undefined for what its workers announce.
   * @returns false if no worker serves the contract in that version and it has no weight.
   */
  assign(contract: string, version: string, weight: number | undefined, now: number): boolean {
    const key = keyOf(contract, version);
    if (!this.known.has(key) && !this.assigned.has(key)) return false;
    const release = this.known.get(key);
    if (weight === undefined) this.assigned.delete(key);
    else if (this.assigned.size < MAX_ASSIGNED || this.assigned.has(key)) this.assigned.set(key, weight);
    else return false;
    if (release !== undefined) release.assigned = weight;
    this.changed?.(now);
    return true;
  }
}

/** The versions of an event with their shares; undefined for workers without a version. */
export type Shares = ReadonlyMap<Release | undefined, number>;

/**
 * The shares of the versions that serve an event, in percent.
 *
 * @returns undefined if no version has a weight, or only one version is left.
 */
export function sharesOf(groups: readonly Released[]): Shares | undefined {
  const shares = new Map<Release | undefined, number>();
  let [sum, open, weighted] = [0, 0, false];
  for (const { release } of groups) {
    if (shares.has(release)) continue;
    const { weight } = release ?? {};
    shares.set(release, weight ?? -1);
    if (weight === undefined) open++;
    else {
      weighted = true;
      sum += weight;
    }
  }
  if (!weighted || shares.size < 2) return undefined;
  const rest = open === 0 ? 0 : Math.max(0, 100 - sum) / open;
  let total = 0;
  for (const [release, share] of shares) {
    if (share < 0) shares.set(release, rest);
    total += share < 0 ? rest : share;
  }
  if (total === 0) return undefined;
  for (const [release, share] of shares) shares.set(release, (share / total) * 100);
  return shares;
}

/** Chooses a version by its share. @param random from 0 to 1, 1 excluded. */
export function drawRelease(shares: Shares, random: number): Release | undefined {
  let left = random * 100;
  let last: Release | undefined;
  for (const [release, share] of shares) {
    if (share === 0) continue;
    if (left < share) return release;
    left -= share;
    last = release;
  }
  return last;
}

/** Whether a group receives no requests of the event that name no version: its weight is 0. */
export function isIdle(group: Released, groups: readonly Released[]): boolean {
  return group.release?.weight === 0 && sharesOf(groups)?.get(group.release) === 0;
}

const VERSION = Buffer.from('"version"');

/** The version that a request names in its metadata. */
export function pinOf(extras: Buffer): string | undefined {
  if (extras.length === 0 || !extras.includes(VERSION)) return undefined;
  try {
    const { version } = JSON.parse(extras.toString()) as RequestExtras;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(contract: string, version: string): string {
  return `${contract}\n${version}`;
}
