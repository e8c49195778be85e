/**
 * The registry: the documents and worker contracts that a gateway serves, by the name of their
 * source. They are merged into one OpenAPI document and one list of operations, and both always
 * change together.
 */
import { EventEmitter } from 'node:events';
import { ContractError } from '../../contract/errors.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import { type ContractComparison, compareContracts } from '../checks/compatibility.ts';
import { Faults } from '../model/faults.ts';
import type { Ingested, IngestedOperation } from '../model/ingested.ts';
import { type ContractLimits, DOCUMENT_LIMITS, WORKER_LIMITS } from '../model/limits.ts';
import type { ApiSnapshot } from '../model/operation.ts';
import type { IngestOptions, SourceKind, Unnamed } from '../model/options.ts';
import { ReadContract } from '../model/read-contract.ts';
import { ingest } from '../normalise/ingest.ts';
import { type DocumentBase, type Merged, type MergedSource, merge, remark } from '../normalise/merge.ts';

/** Options of an {@link ApiRegistry}. */
export interface ApiRegistryOptions extends DocumentBase {
  /**
   * How to treat operations without `x-event-name`: derive the event name from the `operationId`
   * (default), skip the operation, or refuse the source.
   */
  readonly unnamed?: Unnamed;
  /** Limits on contracts that workers announce; limits not given are those of `WORKER_LIMITS`. */
  readonly workerLimits?: Partial<ContractLimits>;
  /** Limits on the operator's documents; limits not given are those of `DOCUMENT_LIMITS`. */
  readonly documentLimits?: Partial<ContractLimits>;
  /**
   * Security schemes that the gateway configures; a worker contract that requires another one is
   * rejected. By default a contract may require every defined scheme, and the gateway leaves out
   * operations that it cannot protect.
   */
  readonly configuredSchemes?: readonly string[];
  /** Maximum number of operations in all sources together; 50,000 by default. */
  readonly maxOperations?: number;
}

/**
 * Maximum number of attempts to merge a source. A new attempt starts when other sources changed
 * during the previous one; the last attempt runs in a single step.
 */
const MERGE_ATTEMPTS = 3;

/** Options of one source of an {@link ApiRegistry}. */
export interface PutOptions {
  /** Prefix of every path of the source, such as `/v1`; empty by default. */
  readonly prefix?: string;
  /** Overrides {@link ApiRegistryOptions.unnamed} for this source. */
  readonly unnamed?: Unnamed;
  /** A `document` of the operator (default), or the contract of a `worker`, with tighter limits. */
  readonly kind?: SourceKind;
  /** Whether a worker currently serves the source; true by default. */
  readonly available?: boolean;
  /** Events that the operations may use; the registry rejects any other one. By default all. */
  readonly events?: readonly string[] | undefined;
  /** Maximum size of this source, in bytes; by default the limit of its kind. */
  readonly maxBytes?: number | undefined;
  /** Faults found while the source was read; the registry rejects it and adds its own faults. */
  readonly faults?: readonly ContractError[];
  /** Receives each warning after the source was added. */
  readonly onWarning?: (warning: ContractError) => void;
}

/**
 * Holds the contracts of a gateway and merges them into one OpenAPI document.
 *
 * Sources are added, replaced and removed by name. All workers that announce the same contract
 * share one source. The router reports with {@link ApiRegistry.setAvailable} whether at least one
 * of them is connected. After each change, the registry emits `change` with the new snapshot.
 *
 * @example
 * ```ts
 * const registry = new ApiRegistry();
 * registry.put('tasks.yaml', {
 *   openapi: '3.1.0',
 *   paths: { '/tasks': { get: { 'x-event-name': 'tasks.list', responses: {} } } },
 * });
 * registry.snapshot().operations.map(({ eventName }) => eventName); // ['tasks.list']
 * ```
 */
export class ApiRegistry extends EventEmitter<{ change: [ApiSnapshot] }> {
  private readonly options: ApiRegistryOptions;
  private readonly schemes: ReadonlySet<string>;
  private readonly configuredSchemes: ReadonlySet<string> | undefined;
  private sources: ReadonlyMap<string, MergedSource> = new Map();
  private merged: Merged;
  private current: ApiSnapshot;

  constructor(options: ApiRegistryOptions = {}) {
    super();
    this.options = options;
    this.schemes = new Set(Object.keys(options.securitySchemes ?? {}));
    this.configuredSchemes =
      options.configuredSchemes === undefined ? undefined : new Set(options.configuredSchemes);
    this.merged = runAtOnce(merge([], options));
    this.current = snapshotOf(0, this.merged);
  }

  /** Returns the current document and its operations. Callers must not modify them. */
  snapshot(): ApiSnapshot {
    return this.current;
  }

  /** Returns whether a source of this name exists. */
  has(source: string): boolean {
    return this.sources.has(source);
  }

  /** Returns the names of all sources, in the order in which they were added. */
  names(): string[] {
    return [...this.sources.keys()];
  }

  /**
   * Adds a source, or replaces the source of the same name. The contract of a connected worker
   * displaces conflicting contracts of other workers if no worker serves those.
   *
   * @param source name of a file or of a worker's contract. It becomes the prefix of names that
   *   clash with names of other sources.
   * @param document OpenAPI 3.0 or 3.1, complete or a fragment: JSON text, or a value as
   *   `JSON.parse` returns it, which is copied; or a contract from {@link ApiRegistry.reading}.
   * @throws {ContractError} when the document is not valid, exceeds a limit, or claims a method and
   *   path, or an event with different data, that another source has. It names the source,
   *   operation, place and reason; the registry is unchanged.
   */
  put(source: string, document: unknown, options: PutOptions = {}): ApiSnapshot {
    return runAtOnce(this.putting(source, document, options));
  }

  /** Does the same as `put`, in steps. What the registry serves changes in the last step. */
  *putting(source: string, document: unknown, options: PutOptions = {}): Steps<ApiSnapshot> {
    try {
      const kind = options.kind ?? 'document';
      const limits = this.limitsFor(kind, options.maxBytes);
      if (source === '' || source.length > limits.nameLength) {
        throw new ContractError(`a source must have a name of 1 to ${limits.nameLength} characters`);
      }
      const contract =
        document instanceof ReadContract
          ? document
          : new ReadContract(yield* ingest(document, this.ingestOptions(kind, limits, options)));
      const { ingested } = contract;
      refuseForeignEvents(ingested, options.events);
      const entry: MergedSource = {
        name: source,
        contract,
        available: options.available ?? true,
        fromWorker: kind === 'worker',
        renamed: { names: '', ingested: undefined },
      };
      const snapshot = yield* this.takeIn(entry);
      for (const warning of ingested.warnings) options.onWarning?.(warning.around({ source }));
      return snapshot;
    } catch (error) {
      if (error instanceof ContractError) throw error.around({ source });
      if (error instanceof RangeError)
        throw new ContractError('nested too deeply', { source }, { cause: error });
      throw error;
    }
  }

  /**
   * Compares two versions of a worker's contract: can workers of both serve at the same time?
   *
   * @throws {ContractError} when one of the versions is not a valid contract.
   */
  compare(before: unknown, after: unknown): ContractComparison {
    return runAtOnce(this.comparing(before, after));
  }

  /** Does the same as `compare`, in steps. */
  *comparing(before: unknown, after: unknown): Steps<ContractComparison> {
    return yield* compareContracts(yield* this.reading(before), yield* this.reading(after));
  }

  /**
   * Reads a worker's contract in steps, so that it can be compared and added without parsing it
   * again.
   *
   * @throws {ContractError} when the contract is not valid.
   */
  *reading(document: unknown): Steps<ReadContract> {
    if (document instanceof ReadContract) return document;
    const options = this.ingestOptions('worker', this.limitsFor('worker', undefined), {});
    return new ReadContract(yield* ingest(document, options));
  }

  /** Returns the contract of a source, or undefined if no source has this name. */
  contractOf(source: string): ReadContract | undefined {
    return this.sources.get(source)?.contract;
  }

  /** Removes a source; returns false if no source has this name. */
  remove(source: string): boolean {
    const sources = new Map(this.sources);
    if (!sources.delete(source)) return false;
    this.commit(sources);
    return true;
  }

  /**
   * Sets whether a worker serves the source. While no worker does, its operations stay in the
   * document with `x-available: false`. Returns false if no source has this name.
   */
  setAvailable(source: string, available: boolean): boolean {
    const entry = this.sources.get(source);
    if (entry === undefined) return false;
    if (entry.available !== available) {
      const sources = new Map(this.sources).set(source, { ...entry, available });
      this.serve(sources, remark(this.merged, source, available));
    }
    return true;
  }

  private limitsFor(kind: SourceKind, bytes: number | undefined): ContractLimits {
    const limits =
      kind === 'worker'
        ? { ...WORKER_LIMITS, ...this.options.workerLimits }
        : { ...DOCUMENT_LIMITS, ...this.options.documentLimits };
    return bytes === undefined ? limits : { ...limits, bytes };
  }

  private ingestOptions(kind: SourceKind, limits: ContractLimits, options: PutOptions): IngestOptions {
    return {
      kind,
      unnamed: options.unnamed ?? this.options.unnamed ?? 'operationId',
      prefix: options.prefix ?? '',
      limits,
      securitySchemes: this.schemes,
      configuredSchemes: this.configuredSchemes,
      faults: new Faults(kind === 'document', options.faults),
    };
  }

  /** Merges the source with the others, again if these changed between the steps. */
  private *takeIn(entry: MergedSource): Steps<ApiSnapshot> {
    for (let attempt = 1; ; attempt += 1) {
      const before = this.sources;
      const sources = new Map(before);
      for (const name of yield* this.refuseConflicts(entry)) sources.delete(name);
      const merging = merge([...sources.set(entry.name, entry).values()], this.options);
      // The last attempt does not yield. Otherwise, sources that change constantly would block
      // this one.
      const merged = attempt < MERGE_ATTEMPTS ? yield* merging : runAtOnce(merging);
      if (before === this.sources) return this.serve(sources, merged);
    }
  }

  private commit(sources: ReadonlyMap<string, MergedSource>): ApiSnapshot {
    return this.serve(sources, runAtOnce(merge([...sources.values()], this.options)));
  }

  private serve(sources: ReadonlyMap<string, MergedSource>, merged: Merged): ApiSnapshot {
    this.sources = sources;
    this.merged = merged;
    this.current = snapshotOf(this.current.revision + 1, merged);
    this.emit('change', this.current);
    return this.current;
  }

  /** Returns the names of the sources that the new source displaces. */
  private *refuseConflicts(entry: MergedSource): Steps<Set<string>> {
    const { routes, events } = claimsOf(entry);
    const displaced = new Set<string>();
    let count = entry.contract.ingested.operations.length;
    for (const other of this.sources.values()) {
      if (other.name === entry.name) continue;
      const clash = yield* clashOf(entry, other, routes, events);
      if (clash === undefined) count += other.contract.ingested.operations.length;
      else if (entry.fromWorker && entry.available && other.fromWorker && !other.available) {
        displaced.add(other.name);
      } else throw clash;
    }
    const most = this.options.maxOperations ?? 50_000;
    if (count > most) throw new ContractError(`more than ${most} operations over all sources`);
    return displaced;
  }
}

function snapshotOf(revision: number, { document, operations }: Merged): ApiSnapshot {
  return { revision, document, operations };
}

/**
 * @throws {ContractError} when an operation uses an event that the workers of the source do not
 *   announce.
 */
function refuseForeignEvents({ operations }: Ingested, events: readonly string[] | undefined): void {
  if (events === undefined) return;
  const announced = new Set(events);
  const foreign = operations.find(({ eventName }) => !announced.has(eventName));
  if (foreign === undefined) return;
  const { path, method, eventName: event, pointer } = foreign;
  const reason = `leads to the event ${event}, which its workers do not announce`;
  throw new ContractError(reason, { path, method, event, pointer });
}

type Claims = ReadonlyMap<string, IngestedOperation>;

/** Collects what a source claims: each method and path, and each event. */
function claimsOf({ contract: { ingested } }: MergedSource): { routes: Claims; events: Claims } {
  const routes = new Map<string, IngestedOperation>();
  const events = new Map<string, IngestedOperation>();
  const faults: ContractError[] = [];
  for (const operation of ingested.operations) {
    const { method, path, shape, eventName, pointer } = operation;
    const key = `${method} ${shape}`;
    const other = routes.get(key);
    if (other !== undefined) {
      const place = { method, path, event: eventName, pointer };
      faults.push(new ContractError(`is there twice: ${other.path} matches the same paths`, place));
    }
    routes.set(key, operation);
    events.set(eventName, operation);
  }
  if (faults.length > 0) throw ContractError.of(faults);
  return { routes, events };
}

/** Returns the first conflict between two sources as an error, or undefined if there is none. */
function* clashOf(
  entry: MergedSource,
  other: MergedSource,
  routes: Claims,
  events: Claims,
): Steps<ContractError | undefined> {
  const compared = new Set<string>();
  for (const { method, path, shape, eventName } of other.contract.ingested.operations) {
    const mine = routes.get(`${method} ${shape}`);
    if (mine !== undefined) {
      const place = { method, path: mine.path, event: mine.eventName, pointer: mine.pointer };
      return new ContractError(`${other.name} has claimed ${method.toUpperCase()} ${path} already`, place);
    }
    const same = events.get(eventName);
    if (same === undefined || compared.has(eventName)) continue;
    compared.add(eventName);
    yield* entry.contract.fingerprints.ofEventSchemas();
    yield* other.contract.fingerprints.ofEventSchemas();
    yield;
    if (entry.contract.fingerprints.event(eventName) !== other.contract.fingerprints.event(eventName)) {
      const place = { method: same.method, path: same.path, event: eventName, pointer: same.pointer };
      return new ContractError(`${other.name} has claimed the event with other data already`, place);
    }
  }
  return undefined;
}
