/**
 * Contracts that workers announced: each stands under its name, is kept alive by the workers that bring it, and
 * stays as unavailable when the last of them is gone. Workers of versions that are compatible serve side by side.
 */

import { Emitter } from '../../core/collections/emitter.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import { CheckQueue, type CheckSlices } from './check-queue.ts';
import type { AnnouncedContract, ContractChecker } from './contract-checker.ts';
import { type AnnouncedVersion, type ContractHold, ContractVersions, NO_RANKS } from './contract-versions.ts';

/** Bounds on what is kept: a list of all must fit into one message. */
const MAX_CONTRACTS = 1000;
const MAX_BYTES = 8 * 1024 * 1024;

/** How long (ms) the newest version is served on when only workers of earlier ones are left: its own may come back. */
const NEWEST_VERSION_GRACE = 30_000;

/** How long (ms) until it is tried again when a contract of the name is being checked. */
const CHECK_RETRY_DELAY = 1000;

/** Most operations of a contract that is checked at once. */
const MAX_UNSLICED_OPERATIONS = 50;

const TOO_DEEP = 'the contract is nested too deeply';
const WORKER_GONE = 'the worker is gone';

interface ContractsEvents {
  change: [revision: number];
  /** The last worker of a version left: what was refused because of it may fit now. */
  freed: [];
}

export class AnnouncedContracts extends Emitter<ContractsEvents> {
  /** In the order in which they came, or came back. */
  private readonly entries = new Map<string, ContractVersions>();
  private changes = 0;
  private readonly checks: CheckQueue;
  /** What workers gave back while a contract of the name was being checked. */
  private readonly released: ContractHold[] = [];
  /** A contract was refused because one of its name was being checked. */
  private refusedDuringCheck = false;

  constructor(
    private readonly checker: ContractChecker | undefined,
    private readonly clock: Clock = systemClock,
    slices: CheckSlices = {},
  ) {
    super();
    this.checks = new CheckQueue(() => this.checkFinished(), slices);
  }

  /** Grows with each change. */
  get revision(): number {
    return this.changes;
  }

  list(): AnnouncedContract[] {
    return [...this.entries].map(([name, entry]) => {
      const { fragment, events } = entry.newest;
      return { name, fragment, events, available: entry.workers > 0 };
    });
  }

  /**
   * A worker brings a contract.
   *
   * @param events those that its operations lead to.
   * @returns what the worker holds from now on, or why the contract is refused.
   */
  acquire(name: string, fragment: unknown, events: readonly string[] = []): ContractHold | string {
    const json = textOf(fragment);
    if (json === undefined) return TOO_DEEP;
    if (this.checks.isRunning(name)) {
      this.refusedDuringCheck = true;
      return 'another version of the contract is being checked';
    }
    return runAtOnce(this.acquiring(name, { fragment, events, json, ranks: NO_RANKS, workers: 0 }));
  }

  /**
   * As `acquire`. A large contract that is new is checked in slices, and so is each contract of a name that is being
   * checked.
   *
   * @param operations how many operations the contract has.
   * @param signal the worker is gone: what it brings is not wanted.
   */
  acquireInSlices(
    name: string,
    fragment: unknown,
    events: readonly string[],
    operations: number,
    signal: AbortSignal,
  ): ContractHold | string | Promise<ContractHold | string> {
    const json = textOf(fragment);
    if (json === undefined) return TOO_DEEP;
    const version = { fragment, events, json, ranks: NO_RANKS, workers: 0 };
    const small = operations <= MAX_UNSLICED_OPERATIONS || this.entries.get(name)?.find(json) !== undefined;
    if (small && !this.checks.isRunning(name)) return runAtOnce(this.acquiring(name, version));
    const result = this.checks.run(name, () => this.acquiring(name, version), signal);
    return result.then((hold = WORKER_GONE) => {
      if (!signal.aborted || typeof hold === 'string') return hold;
      this.release(hold);
      return WORKER_GONE;
    });
  }

  /** A worker that brought it is gone. */
  release(hold: ContractHold): void {
    const { name, version } = hold;
    if (this.checks.isRunning(name)) {
      this.released.push(hold);
      return;
    }
    const entry = this.entries.get(name);
    version.workers -= 1;
    if (entry === undefined || version.workers > 0) return;
    entry.drop(version);
    if (entry.workers === 0) {
      this.checker?.setAvailable(name, false);
      this.changed();
    } else if (version === entry.newest) {
      entry.fallBackTimer?.();
      entry.fallBackTimer = this.clock.after(NEWEST_VERSION_GRACE, () => this.fallBack(name, entry));
    }
    this.notify('freed');
  }

  private *acquiring(name: string, version: AnnouncedVersion): Steps<ContractHold | string> {
    const entry = this.entries.get(name);
    const known = entry?.find(version.json);
    if (entry !== undefined && known !== undefined) return this.join(name, entry, known);
    if (entry === undefined || entry.workers === 0) return yield* this.addContract(name, version);
    return yield* this.addVersion(name, entry, version);
  }

  /** A check in slices is over: what had to wait for it is done. */
  private checkFinished(): void {
    for (const hold of this.released.splice(0)) this.release(hold);
    if (!this.refusedDuringCheck) return;
    this.refusedDuringCheck = false;
    this.notify('freed');
  }

  private join(name: string, entry: ContractVersions, version: AnnouncedVersion): ContractHold {
    version.workers += 1;
    if (entry.workers === 1) {
      this.checker?.setAvailable(name, true);
      this.changed();
    }
    return { name, version };
  }

  /** A contract that is new, or takes the place of one that nobody serves. */
  private *addContract(name: string, version: AnnouncedVersion): Steps<ContractHold | string> {
    const known = this.entries.get(name);
    if (!this.makeRoom(name, version.json.length - (known?.size ?? 0))) return this.capacityRefusal();
    const refusal = yield* this.check(name, version);
    if (refusal !== undefined) return refusal;
    this.entries.delete(name);
    for (const [other, old] of this.entries) {
      if (old.workers === 0 && this.checker?.has?.(other) === false) this.entries.delete(other);
    }
    const entry = new ContractVersions(version, this.checker);
    this.entries.set(name, entry);
    return this.join(name, entry, version);
  }

  /** Another version than those that workers serve now. */
  private *addVersion(
    name: string,
    entry: ContractVersions,
    version: AnnouncedVersion,
  ): Steps<ContractHold | string> {
    const place = yield* attempt(entry.rank(version.fragment));
    if (typeof place === 'string') return `the contract ${JSON.stringify(name)} is refused: ${place}`;
    if (!this.makeRoom(name, version.json.length)) return this.capacityRefusal();
    const refusal = place.later ? yield* this.check(name, version) : undefined;
    if (refusal !== undefined) return refusal;
    const ranked = { ...version, ranks: place.ranks };
    entry.add(ranked, place);
    ranked.workers += 1;
    if (place.later) this.changed();
    return { name, version: ranked };
  }

  /** The workers of the newest version did not come back: an earlier one that workers serve is served again. */
  private fallBack(name: string, entry: ContractVersions): void {
    if (this.checks.isRunning(name)) {
      entry.fallBackTimer = this.clock.after(CHECK_RETRY_DELAY, () => this.fallBack(name, entry));
      return;
    }
    const version = this.entries.get(name) === entry ? entry.successor() : undefined;
    if (version === undefined || runAtOnce(this.check(name, version)) !== undefined) return;
    entry.fallBack(version);
    this.changed();
  }

  /** Forgets contracts that nobody serves, the oldest first, until `extra` characters more fit. */
  private makeRoom(newcomer: string, extra: number): boolean {
    const fits = (): boolean => {
      const count = this.entries.has(newcomer) ? this.entries.size : this.entries.size + 1;
      return count <= MAX_CONTRACTS && this.size + extra <= MAX_BYTES;
    };
    for (const [name, entry] of this.entries) {
      if (fits()) return true;
      if (entry.workers > 0 || name === newcomer) continue;
      this.entries.delete(name);
      this.checker?.remove?.(name);
    }
    return fits();
  }

  /** Characters of all fragments. */
  private get size(): number {
    let sum = 0;
    for (const { size } of this.entries.values()) sum += size;
    return sum;
  }

  private capacityRefusal(): string {
    return `there is no room for more contracts: ${this.entries.size} of them are served`;
  }

  /** @returns why the checker refuses the version; undefined when it does not. */
  private *check(name: string, { fragment, events }: AnnouncedVersion): Steps<string | undefined> {
    const { checker } = this;
    if (checker === undefined) return undefined;
    const refusal = yield* attempt(put(checker, name, fragment, events));
    return typeof refusal === 'string' ? refusal : undefined;
  }

  private changed(): void {
    this.changes += 1;
    this.notify('change', this.changes);
  }
}

function* put(
  checker: ContractChecker,
  name: string,
  fragment: unknown,
  events: readonly string[],
): Steps<void> {
  if (checker.putting === undefined) checker.put(name, fragment, events);
  else yield* checker.putting(name, fragment, events);
}

/** What the checker throws, as text. */
function* attempt<T>(steps: Steps<T>): Steps<T | string> {
  try {
    return yield* steps;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether a contract is the one that a worker holds, in the same version. */
export function isSameContract(
  hold: ContractHold,
  { name, fragment }: { name: string; fragment: unknown },
): boolean {
  return hold.name === name && hold.version.json === textOf(fragment);
}

/** The fragment as text, for comparing; undefined when it is nested too deeply for that. */
function textOf(fragment: unknown): string | undefined {
  try {
    return JSON.stringify(fragment);
  } catch {
    return undefined;
  }
}
