/**
 * Contracts that workers announced: each stands under its name, is kept alive by the workers that bring it, and
 * stays as unavailable when the last of them is gone.
 */
import { Emitter } from '../core/emitter.ts';

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

/** Decides whether contracts fit together; throws an error whose message names the conflict. */
export interface ContractChecker {
  /** @param events the only ones that operations of the contract may lead to. */
  put(name: string, fragment: unknown, events: readonly string[]): void;
  setAvailable(name: string, available: boolean): void;
  /** A contract that nobody serves made room for a new one. */
  remove?(name: string): void;
  /** Whether a contract still stands; one that nobody serves may have given way to what was put. Default: it does. */
  has?(name: string): boolean;
}

/** Bounds on what is kept: a list of all must fit into one message. */
const MAX_CONTRACTS = 1000;
const MAX_BYTES = 8 * 1024 * 1024;

interface Entry {
  readonly fragment: unknown;
  readonly events: readonly string[];
  readonly json: string;
  workers: number;
}

export class AnnouncedContracts extends Emitter<{ change: [revision: number] }> {
  /** In the order in which they came, or came back. */
  private readonly entries = new Map<string, Entry>();
  /** Characters of all fragments. */
  private size = 0;
  private changes = 0;

  constructor(private readonly checker: ContractChecker | undefined) {
    super();
  }

  /** Grows with each change. */
  get revision(): number {
    return this.changes;
  }

  list(): AnnouncedContract[] {
    return [...this.entries].map(([name, { fragment, events, workers }]) => ({
      name,
      fragment,
      events,
      available: workers > 0,
    }));
  }

  /**
   * A worker brings a contract.
   *
   * @param events those that its operations lead to.
   * @returns why it is refused; undefined when it is not.
   */
  acquire(name: string, fragment: unknown, events: readonly string[] = []): string | undefined {
    const json = textOf(fragment);
    if (json === undefined) return 'the contract is nested too deeply';
    const known = this.entries.get(name);
    if (known?.json === json) return this.join(name, known);
    if (known !== undefined && known.workers > 0) {
      return `the contract ${JSON.stringify(name)} differs from the one that other workers brought under this name`;
    }
    return this.takeIn(name, { fragment, events, json, workers: 0 });
  }

  /** A worker that brought it is gone. */
  release(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined || entry.workers === 0) return;
    entry.workers -= 1;
    if (entry.workers > 0) return;
    this.checker?.setAvailable(name, false);
    this.changed();
  }

  private join(name: string, entry: Entry): undefined {
    entry.workers += 1;
    if (entry.workers > 1) return;
    this.checker?.setAvailable(name, true);
    this.changed();
  }

  /** A contract that is new, or takes the place of one that nobody serves. */
  private takeIn(name: string, entry: Entry): string | undefined {
    const known = this.entries.get(name);
    if (!this.makeRoom(name, entry.json.length - (known?.json.length ?? 0))) {
      return `there is no room for more contracts: ${this.entries.size} of them are served`;
    }
    const refusal = this.check(name, entry);
    if (refusal !== undefined) return refusal;
    if (known !== undefined) this.forget(name, known);
    for (const [other, old] of this.entries) {
      if (old.workers === 0 && this.checker?.has?.(other) === false) this.forget(other, old);
    }
    this.entries.set(name, entry);
    this.size += entry.json.length;
    return this.join(name, entry);
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
      this.forget(name, entry);
      this.checker?.remove?.(name);
    }
    return fits();
  }

  private forget(name: string, entry: Entry): void {
    this.entries.delete(name);
    this.size -= entry.json.length;
  }

  private check(name: string, { fragment, events }: Entry): string | undefined {
    try {
      this.checker?.put(name, fragment, events);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  private changed(): void {
    this.changes += 1;
    this.notify('change', this.changes);
  }
}

/** The fragment as text, for comparing; undefined when it is nested too deeply for that. */
function textOf(fragment: unknown): string | undefined {
  try {
    return JSON.stringify(fragment);
  } catch {
    return undefined;
  }
}
