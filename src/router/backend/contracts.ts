/**
 * Contracts announced by workers. A contract is available while a worker serves it, and stays
 * listed as unavailable after the last one left. Workers of compatible versions serve side by side.
 */

import { Emitter } from '../../core/collections/emitter.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import { CheckQueue, type CheckSlices } from './check-queue.ts';
import type { AnnouncedContract, ContractChecker } from './contract-checker.ts';
import { type AnnouncedVersion, type ContractHold, ContractVersions, NO_RANKS } from './contract-versions.ts';

/** Bounds on the stored contracts: a list of all must fit into one message. */
const MAX_CONTRACTS = 1000;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * How long the newest version is still served when only workers of earlier ones are left, in ms:
 * its own workers may return.
 */
const NEWEST_VERSION_GRACE = 30_000;

/** Delay before another attempt while a contract of the name is being checked, in ms. */
const CHECK_RETRY_DELAY = 1000;

/** Maximum number of operations of a contract that is checked without slices. */
const MAX_UNSLICED_OPERATIONS = 50;

const TOO_DEEP = 'the contract is nested too deeply';
const WORKER_GONE = 'the worker is gone';

interface ContractsEvents {
  change: [revision: number];
  /** The last worker of a version left: contracts refused because of it may be compatible now. */
  freed: [];
}

export class AnnouncedContracts extends Emitter<ContractsEvents> {
  /** In the order in which they arrived, or became available again. */
  private readonly entries = new Map<string, ContractVersions>();
  private changes = 0;
  private readonly checks: CheckQueue;
  /** Contracts released while a contract of the same name was being checked. */
  private readonly released: ContractHold[] = [];
  /** Whether a contract was refused because one of its name was being checked. */
  private refusedDuringCheck = false;

  constructor(
    private readonly checker: ContractChecker | undefined,
    private readonly clock: Clock = systemClock,
    slices: CheckSlices = {},
  ) {
    super();
    this.checks = new CheckQueue(() => this.checkFinished(), slices);
  }

  /** Increases with each change. */
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
   * Adds the contract of a worker.
   *
   * @param events events that its operations lead to.
   * @param operations number of operations of the contract.
   * @returns the reference that the worker holds from now on, or why the contract is refused.
   */
  acquire(
    name: string,
    fragment: unknown,
    events: readonly string[] = [],
    operations = 0,
  ): ContractHold | string {
    const json = textOf(fragment);
    if (json === undefined) return TOO_DEEP;
    if (this.checks.isRunning(name)) {
      this.refusedDuringCheck = true;
      return 'another version of the contract is being checked';
    }
    const version = { fragment, events, operations, json, ranks: NO_RANKS, workers: 0 };
    return runAtOnce(this.acquiring(name, version));
  }

  /**
   * As `acquire`, but checks a large new contract in slices, and queues contracts of a name that is
   * being checked.
   *
   * @param operations number of operations of the contract.
   * @param signal aborts when the worker is gone.
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
    const version = { fragment, events, operations, json, ranks: NO_RANKS, workers: 0 };
    const small = operations <= MAX_UNSLICED_OPERATIONS || this.entries.get(name)?.find(json) !== undefined;
    if (small && !this.checks.isRunning(name)) return runAtOnce(this.acquiring(name, version));
    const result = this.checks.run(name, () => this.acquiring(name, version), signal);
    return result.then((hold = WORKER_GONE) => {
      if (!signal.aborted || typeof hold === 'string') return hold;
      this.release(hold);
      return WORKER_GONE;
    });
  }

  /** Releases the contract of a worker that left or changed its contract. */
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

  /** Does the work that had to wait for the end of a check. */
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

  /** Adds a contract that is new or replaces one that no worker serves. */
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

  /** Adds a version next to those that workers serve now. */
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

  /** Serves an earlier version again, after the workers of the newest one did not return. */
  private fallBack(name: string, entry: ContractVersions): void {
    if (this.checks.isRunning(name)) {
      entry.fallBackTimer = this.clock.after(CHECK_RETRY_DELAY, () => this.fallBack(name, entry));
      return;
    }
    const operations = entry.successor()?.operations ?? 0;
    const steps = (): Steps<void> => this.fallingBack(name, entry);
    if (operations <= MAX_UNSLICED_OPERATIONS) runAtOnce(steps());
    else void this.checks.run(name, steps, new AbortController().signal);
  }

  private *fallingBack(name: string, entry: ContractVersions): Steps<void> {
    // The contract may have been replaced while the check was queued.
    const version = this.entries.get(name) === entry ? entry.successor() : undefined;
    if (version === undefined || (yield* this.check(name, version)) !== undefined) return;
    entry.fallBack(version);
    this.changed();
  }

  /** Removes contracts that no worker serves, oldest first, until `extra` more characters fit. */
  private makeRoom(added: string, extra: number): boolean {
    const fits = (): boolean => {
      const count = this.entries.has(added) ? this.entries.size : this.entries.size + 1;
      return count <= MAX_CONTRACTS && this.size + extra <= MAX_BYTES;
    };
    for (const [name, entry] of this.entries) {
      if (fits()) return true;
      if (entry.workers > 0 || name === added) continue;
      this.entries.delete(name);
      this.checker?.remove?.(name);
    }
    return fits();
  }

  /** Total size of all fragments, in characters. */
  private get size(): number {
    let sum = 0;
    for (const { size } of this.entries.values()) sum += size;
    return sum;
  }

  private capacityRefusal(): string {
    return `there is no room for more contracts: ${this.entries.size} of them are served`;
  }

  /** @returns why the checker refuses the version; undefined if it accepts it. */
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

/** Returns the message of an error that the checker throws. */
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

/** The fragment as JSON text for comparison; undefined if it is nested too deeply. */
function textOf(fragment: unknown): string | undefined {
  try {
    return JSON.stringify(fragment);
  } catch {
    return undefined;
  }
}
