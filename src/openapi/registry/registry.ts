/**
 * All that this gateway serves: documents and workers' contracts by the name of their source, merged into one
 * OpenAPI document and one list of operations, which change together or not at all.
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

/** Options of a registry. */
export interface ApiRegistryOptions extends DocumentBase {
  /** What becomes of operations without `x-event-name`: named by their operationId (default), skipped, or refused. */
  readonly unnamed?: Unnamed;
  /** Bounds on what workers announce; `WORKER_LIMITS` where not told. */
  readonly workerLimits?: Partial<ContractLimits>;
  /** Bounds on documents; `DOCUMENT_LIMITS` where not told. */
  readonly documentLimits?: Partial<ContractLimits>;
  /**
   * Names of the security schemes that the gateway has configured: a worker's contract that demands another is
   * refused. Default: any that are defined; the gateway leaves out what it cannot enforce.
   */
  readonly configuredSchemes?: readonly string[];
  /** Most operations over all sources; default 50,000. */
  readonly maxOperations?: number;
}

/** How often a source is merged in steps, while others change in between, before it is merged at once. */
const MERGE_ATTEMPTS = 3;

/** Options of one source. */
export interface PutOptions {
  /** Put before each of its paths, such as `/v1`. */
  readonly prefix?: string;
  /** See `ApiRegistryOptions`; for this source alone. */
  readonly unnamed?: Unnamed;
  /** Whether it is the operator's document (default) or a worker's contract, for which the bounds are tighter. */
  readonly kind?: SourceKind;
  /** Whether a worker serves it now; default true. */
  readonly available?: boolean;
  /** Events that its operations may lead to; one that leads to another is refused. Default: any. */
  readonly events?: readonly string[] | undefined;
  /** Largest size of this source, in bytes; by default that of its kind. */
  readonly maxBytes?: number | undefined;
  /** Faults that were found when the source was read: it is refused, with these and its own. */
  readonly faults?: readonly ContractError[];
  /** Called with each warning once the source is in. */
  readonly onWarning?: (warning: ContractError) => void;
}

/**
 * The contracts of a gateway. A source is put, replaced and removed by its name; several workers that announce
 * one contract are one source, and whoever knows the workers (the router) says when the last one has gone
 * (`setAvailable`). Events: `change`, with the new snapshot, after each change.
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

  /** Document and operations as they are now, of one revision. Nobody may change them. */
  snapshot(): ApiSnapshot {
    return this.current;
  }

  /** Whether there is a source of that name. */
  has(source: string): boolean {
    return this.sources.has(source);
  }

  /** Names of the sources, in the order they came. */
  names(): string[] {
    return [...this.sources.keys()];
  }

  /**
   * Adds a source, or puts it in place of the one of that name.
   * @param source name of a file or of a worker's contract; it prefixes names that clash with others'.
   * @param document OpenAPI 3.0 or 3.1, whole or a fragment (paths and components): JSON text, or a value as
   *   JSON.parse gives it. It is copied. A worker's contract may also be one that `reading` returned.
   * @throws ContractError naming source, operation, place and reason, when it is no such document, passes a bound,
   *   or claims a method and path, or an event with other data, of another source. Nothing has changed then.
   *   Contracts of workers that are all gone give way to one that another worker brings: they are removed.
   */
  put(source: string, document: unknown, options: PutOptions = {}): ApiSnapshot {
    return runAtOnce(this.putting(source, document, options));
  }

  /** As `put`, in steps. What the registry serves changes in the last one, or not at all. */
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
   * Compares two versions of a worker's contract: can workers of both serve side by side?
   * @throws ContractError when one of them cannot be served.
   */
  compare(before: unknown, after: unknown): ContractComparison {
    return runAtOnce(this.comparing(before, after));
  }

  /** As `compare`, in steps. */
  *comparing(before: unknown, after: unknown): Steps<ContractComparison> {
    return yield* compareContracts(yield* this.reading(before), yield* this.reading(after));
  }

  /**
   * Reads a worker's contract in steps, so that it can be compared and put without being read again.
   * @throws ContractError when it cannot be served.
   */
  *reading(document: unknown): Steps<ReadContract> {
    if (document instanceof ReadContract) return document;
    const options = this.ingestOptions('worker', this.limitsFor('worker', undefined), {});
    return new ReadContract(yield* ingest(document, options));
  }

  /** The contract of a source, as `reading` returns it; undefined when there is no source of that name. */
  contractOf(source: string): ReadContract | undefined {
    return this.sources.get(source)?.contract;
  }

  /** Removes a source; false when there is none of that name. */
  remove(source: string): boolean {
    const sources = new Map(this.sources);
    if (!sources.delete(source)) return false;
    this.commit(sources);
    return true;
  }

  /**
   * Says whether a worker serves the source. While none does, its operations stay in the document, marked with
   * `x-available: false`. False when there is no source of that name.
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

  /** Merges the source with the others; anew when these changed between the steps. */
  private *takeIn(entry: MergedSource): Steps<ApiSnapshot> {
    for (let attempt = 1; ; attempt += 1) {
      const before = this.sources;
      const sources = new Map(before);
      for (const name of yield* this.refuseConflicts(entry)) sources.delete(name);
      const merging = merge([...sources.set(entry.name, entry).values()], this.options);
      // The last attempt runs at once: sources that change all the time would keep this one out for ever.
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

  /** @returns names of the sources that give way. */
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

/** @throws ContractError naming an operation that leads to an event that its workers do not announce. */
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

/** What a source claims: method and path, and events. */
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

/** What two sources both claim, as an error. */
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
