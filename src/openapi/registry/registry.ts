/**
 * The registry: the documents and worker contracts that a gateway serves, by the name of their
 * source, merged into one OpenAPI document and one list of operations.
 */
import { EventEmitter } from 'node:events';
import { ContractError } from '../../contract/errors.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import { type ContractComparison, compareContracts } from '../checks/compatibility.ts';
import type { Ingested, IngestedOperation } from '../model/ingested.ts';
import { type ContractLimits, DOCUMENT_LIMITS, WORKER_LIMITS } from '../model/limits.ts';
import type { ApiSnapshot } from '../model/operation.ts';
import type { IngestOptions, SourceKind } from '../model/options.ts';
import { Problems } from '../model/problems.ts';
import { ReadContract } from '../model/read-contract.ts';
import { ingest } from '../normalise/ingest.ts';
import { markSource, merge } from '../normalise/merge.ts';
import type { Merged, MergedSource } from '../normalise/merged.ts';
import type { ApiRegistryOptions, PutOptions } from './options.ts';

export type { ApiRegistryOptions, PutOptions };

/**
 * Maximum number of attempts to merge a source. A new attempt starts when other sources changed
 * during the previous one; the last attempt runs in a single step.
 */
const MERGE_ATTEMPTS = 3;

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

  /** @param options options of the registry. */
  constructor(options: ApiRegistryOptions = {}) {
    super();
    this.options = options;
    this.schemes = new Set(Object.keys(options.securitySchemes ?? {}));
    this.configuredSchemes =
      options.configuredSchemes === undefined ? undefined : new Set(options.configuredSchemes);
    this.merged = runAtOnce(merge([], options));
    this.current = snapshotOf(0, this.merged);
  }

  /**
   * Returns the current document and its operations, both of the same revision.
   *
   * @returns the snapshot, which callers must not modify.
   */
  snapshot(): ApiSnapshot {
    return this.current;
  }

  /**
   * Returns whether a source of this name exists.
   *
   * @param source name of the source.
   */
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
   * @param options options of the source.
   * @returns the snapshot after the change.
   * @throws {ContractError} when the document is not valid, exceeds a limit, or claims a method and
   *   path, or an event with different data, that another source has. It names the source,
   *   operation, location and reason; the registry is unchanged.
   */
  put(source: string, document: unknown, options: PutOptions = {}): ApiSnapshot {
    return runAtOnce(this.putting(source, document, options));
  }

  /**
   * Does the same as {@link ApiRegistry.put}, in steps. What the registry serves changes in the
   * last step.
   *
   * @throws {ContractError} when the document is not valid or conflicts with another source.
   */
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
      checkEvents(ingested, options.events);
      const entry: MergedSource = {
        name: source,
        contract,
        available: options.available ?? true,
        fromWorker: kind === 'worker',
        renamed: { names: '', ingested: undefined },
      };
      const snapshot = yield* this.mergeIn(entry);
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
   * Compares two versions of a worker's contract, to find out whether workers of both can serve at
   * the same time.
   *
   * @param before the earlier version.
   * @param after the later version.
   * @returns why the later version cannot replace the earlier one, if it cannot, and the events
   *   whose data has changed.
   * @throws {ContractError} when one of the versions is not a valid contract.
   */
  compare(before: unknown, after: unknown): ContractComparison {
    return runAtOnce(this.comparing(before, after));
  }

  /**
   * Does the same as {@link ApiRegistry.compare}, in steps.
   *
   * @throws {ContractError} when one of the versions is not a valid contract.
   */
  *comparing(before: unknown, after: unknown): Steps<ContractComparison> {
    return yield* compareContracts(yield* this.reading(before), yield* this.reading(after));
  }

  /**
   * Reads a worker's contract in steps, so that it can be compared and added without parsing it
   * again.
   *
   * @param document OpenAPI fragment of the worker, or a contract that this method returned.
   * @throws {ContractError} when the contract is not valid.
   */
  *reading(document: unknown): Steps<ReadContract> {
    if (document instanceof ReadContract) return document;
    const options = this.ingestOptions('worker', this.limitsFor('worker', undefined), {});
    return new ReadContract(yield* ingest(document, options));
  }

  /**
   * Returns the contract of a source as {@link ApiRegistry.reading} returned it, or undefined if no
   * source has this name.
   *
   * @param source name of the source.
   */
  contractOf(source: string): ReadContract | undefined {
    return this.sources.get(source)?.contract;
  }

  /**
   * Removes a source.
   *
   * @param source name of the source.
   * @returns false if no source has this name.
   */
  remove(source: string): boolean {
    const sources = new Map(this.sources);
    if (!sources.delete(source)) return false;
    this.commit(sources);
    return true;
  }

  /**
   * Sets whether a worker serves the source. While no worker does, its operations stay in the
   * document with `x-available: false`.
   *
   * @param source name of the source.
   * @param available whether a worker serves it.
   * @returns false if no source has this name.
   */
  setAvailable(source: string, available: boolean): boolean {
    const entry = this.sources.get(source);
    if (entry === undefined) return false;
    if (entry.available !== available) {
      const sources = new Map(this.sources).set(source, { ...entry, available });
      this.serve(sources, markSource(this.merged, source, available));
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
      problems: new Problems(kind === 'document', options.problems),
    };
  }

  /** Merges the source with the others, again if these changed between the steps. */
  private *mergeIn(entry: MergedSource): Steps<ApiSnapshot> {
    for (let attempt = 1; ; attempt += 1) {
      const before = this.sources;
      const sources = new Map(before);
      for (const name of yield* this.displacedBy(entry)) sources.delete(name);
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
  private *displacedBy(entry: MergedSource): Steps<Set<string>> {
    const { routes, events } = claimsOf(entry);
    const displaced = new Set<string>();
    let count = entry.contract.ingested.operations.length;
    for (const other of this.sources.values()) {
      if (other.name === entry.name) continue;
      const conflict = yield* conflictOf(entry, other, routes, events);
      if (conflict === undefined) count += other.contract.ingested.operations.length;
      else if (entry.fromWorker && entry.available && other.fromWorker && !other.available) {
        displaced.add(other.name);
      } else throw conflict;
    }
    const max = this.options.maxOperations ?? 50_000;
    if (count > max) throw new ContractError(`more than ${max} operations in all sources together`);
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
function checkEvents({ operations }: Ingested, events: readonly string[] | undefined): void {
  if (events === undefined) return;
  const announced = new Set(events);
  const foreign = operations.find(({ eventName }) => !announced.has(eventName));
  if (foreign === undefined) return;
  const { path, method, eventName: event, pointer } = foreign;
  const reason = `uses the event ${event}, which its workers do not announce`;
  throw new ContractError(reason, { path, method, event, pointer });
}

type Claims = ReadonlyMap<string, IngestedOperation>;

/** Collects what a source claims: each method and path, and each event. */
function claimsOf({ contract: { ingested } }: MergedSource): { routes: Claims; events: Claims } {
  const routes = new Map<string, IngestedOperation>();
  const events = new Map<string, IngestedOperation>();
  const problems: ContractError[] = [];
  for (const operation of ingested.operations) {
    const { method, path, shape, eventName, pointer } = operation;
    const key = `${method} ${shape}`;
    const other = routes.get(key);
    if (other !== undefined) {
      const location = { method, path, event: eventName, pointer };
      problems.push(new ContractError(`is defined twice: ${other.path} matches the same paths`, location));
    }
    routes.set(key, operation);
    events.set(eventName, operation);
  }
  if (problems.length > 0) throw ContractError.of(problems);
  return { routes, events };
}

/** Returns the first conflict between two sources as an error, or undefined if there is none. */
function* conflictOf(
  entry: MergedSource,
  other: MergedSource,
  routes: Claims,
  events: Claims,
): Steps<ContractError | undefined> {
  const compared = new Set<string>();
  for (const { method, path, shape, eventName } of other.contract.ingested.operations) {
    const mine = routes.get(`${method} ${shape}`);
    if (mine !== undefined) {
      const location = { method, path: mine.path, event: mine.eventName, pointer: mine.pointer };
      return new ContractError(`${other.name} already serves ${method.toUpperCase()} ${path}`, location);
    }
    const same = events.get(eventName);
    if (same === undefined || compared.has(eventName)) continue;
    compared.add(eventName);
    yield* entry.contract.fingerprints.ofEventSchemas();
    yield* other.contract.fingerprints.ofEventSchemas();
    yield;
    if (entry.contract.fingerprints.event(eventName) !== other.contract.fingerprints.event(eventName)) {
      const location = { method: same.method, path: same.path, event: eventName, pointer: same.pointer };
      return new ContractError(`${other.name} already uses the event with different data`, location);
    }
  }
  return undefined;
}
