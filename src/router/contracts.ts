/**
 * Contracts that workers announced: each stands under its name, is kept alive by the workers that bring it, and
 * stays as unavailable when the last of them is gone. Workers of versions that are compatible serve side by side.
 */
import { type Clock, systemClock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { AnnouncedContract, ContractChecker } from './contract-checker.ts';
import { type AnnouncedVersion, type ContractHold, ContractVersions, NO_RANKS } from './contract-versions.ts';

/** Bounds on what is kept: a list of all must fit into one message. */
const MAX_CONTRACTS = 1000;
const MAX_BYTES = 8 * 1024 * 1024;

/** How long (ms) the newest version is served on when only workers of earlier ones are left: its own may come back. */
const NEWEST_STAYS = 30_000;

interface ContractsEvents {
  change: [revision: number];
  /** The last worker of a version left: what was refused because of it may fit now. */
  freed: [];
}

export class AnnouncedContracts extends Emitter<ContractsEvents> {
  /** In the order in which they came, or came back. */
  private readonly entries = new Map<string, ContractVersions>();
  private changes = 0;

  constructor(
    private readonly checker: ContractChecker | undefined,
    private readonly clock: Clock = systemClock,
  ) {
    super();
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
    if (json === undefined) return 'the contract is nested too deeply';
    const entry = this.entries.get(name);
    const known = entry?.find(json);
    if (entry !== undefined && known !== undefined) return this.join(name, entry, known);
    const version = { fragment, events, json, ranks: NO_RANKS, workers: 0 };
    if (entry === undefined || entry.workers === 0) return this.takeIn(name, version);
    return this.takeBeside(name, entry, version);
  }

  /** A worker that brought it is gone. */
  release({ name, version }: ContractHold): void {
    const entry = this.entries.get(name);
    version.workers -= 1;
    if (entry === undefined || version.workers > 0) return;
    entry.drop(version);
    if (entry.workers === 0) {
      this.checker?.setAvailable(name, false);
      this.changed();
    } else if (version === entry.newest) {
      entry.stayEnds?.();
      entry.stayEnds = this.clock.after(NEWEST_STAYS, () => this.goBack(name, entry));
    }
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
  private takeIn(name: string, version: AnnouncedVersion): ContractHold | string {
    const known = this.entries.get(name);
    if (!this.makeRoom(name, version.json.length - (known?.size ?? 0))) return this.noRoom();
    const refusal = this.check(name, version);
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
  private takeBeside(
    name: string,
    entry: ContractVersions,
    version: AnnouncedVersion,
  ): ContractHold | string {
    const place = this.attempt(() => entry.rank(version.fragment));
    if (typeof place === 'string') return `the contract ${JSON.stringify(name)} is refused: ${place}`;
    if (!this.makeRoom(name, version.json.length)) return this.noRoom();
    const refusal = place.later ? this.check(name, version) : undefined;
    if (refusal !== undefined) return refusal;
    const ranked = { ...version, ranks: place.ranks };
    entry.add(ranked, place.later);
    ranked.workers += 1;
    if (place.later) this.changed();
    return { name, version: ranked };
  }

  /** The workers of the newest version did not come back: an earlier one that workers serve is served again. */
  private goBack(name: string, entry: ContractVersions): void {
    const version = this.entries.get(name) === entry ? entry.successor() : undefined;
    if (version === undefined || this.check(name, version) !== undefined) return;
    entry.goBack(version);
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

  private noRoom(): string {
    return `there is no room for more contracts: ${this.entries.size} of them are served`;
  }

  private check(name: string, { fragment, events }: AnnouncedVersion): string | undefined {
    return this.attempt(() => {
      this.checker?.put(name, fragment, events);
      return undefined;
    });
  }

  /** What the checker throws, as text. */
  private attempt<T>(act: () => T): T | string {
    try {
      return act();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  private changed(): void {
    this.changes += 1;
    this.notify('change', this.changes);
  }
}

/** Whether a contract is the one that a worker holds, in the same version. */
export function isOf(hold: ContractHold, { name, fragment }: { name: string; fragment: unknown }): boolean {
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
