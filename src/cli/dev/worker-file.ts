/**
 * A worker file that is reloaded when it changes. The new version starts next to the running one.
 * Once the router has accepted it, the former one finishes its requests and ends.
 */
import type { LoadFailure } from '../../worker/threads/module-report.ts';
import { Generation, type StartFailure, type WorkerOptions } from './generation.ts';

/** How many former versions may still finish their requests. A reload waits while there are more. */
const MAX_DRAINING = 4;

/** What a worker file needs from the session. */
export interface WorkerFileOwner {
  readonly env: NodeJS.ProcessEnv;
  /** Time allowed for requests in flight of a former version, in ms. */
  readonly drain: number;
  /** Returns whether no other file has a contract of this name. */
  ownsContract(file: WorkerFile, name: string): boolean;
  /** Contracts of files that were deleted. */
  readonly deletedContracts: readonly string[];
  inspectPorts(file: WorkerFile): Promise<readonly number[] | undefined>;
  /** Called when the set of imported files has grown. */
  importsChanged(): void;
  inspectable(file: WorkerFile, port: number): void;
  /** Removes the documentation of contracts. */
  forget(contracts: readonly string[]): void;
}

/** Result of a reload. */
export type Reload =
  | { readonly kind: 'running'; readonly duration: number; readonly incompatibility: string | undefined }
  | { readonly kind: 'failed'; readonly failure: LoadFailure; readonly keeps: boolean }
  | { readonly kind: 'refused'; readonly reason: string; readonly keeps: boolean }
  | { readonly kind: 'removed' };

export class WorkerFile {
  /** Files that the running version or the last attempt imported. */
  readonly imports = new Set<string>();
  /** When the last attempt began, in ms since 1970. */
  startedAt = 0;
  /** Why the last attempt failed; undefined if it succeeded. */
  failed: StartFailure['kind'] | undefined;
  private running: Generation | undefined;
  private readonly draining = new Map<Generation, Promise<void>>();
  private reloading: Promise<Reload> | undefined;
  /** The file changed while it was being loaded. */
  private outdated = false;
  private removed = false;
  /** Ends the wait for a version that is outdated before it has been loaded. */
  private interrupt: (() => void) | undefined;

  constructor(
    readonly path: string,
    private readonly options: WorkerOptions,
    private readonly owner: WorkerFileOwner,
  ) {
    this.imports.add(path);
  }

  /** Names of the contracts of its versions that still have requests, and of the running one. */
  get contracts(): string[] {
    return [this.running, ...this.draining.keys()].flatMap((generation) => generation?.contract ?? []);
  }

  /** Whether a version receives requests. */
  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Whether the file is being loaded. */
  get isReloading(): boolean {
    return this.reloading !== undefined;
  }

  /** Loads the present content of the file. During a reload, that one begins again. */
  reload(): Promise<Reload> {
    this.outdated = true;
    this.interrupt?.();
    this.reloading ??= this.loop().finally(() => {
      this.reloading = undefined;
    });
    return this.reloading;
  }

  /** Ends the worker because its file was deleted. Resolves once it accepts no more requests. */
  async remove(): Promise<void> {
    this.removed = true;
    this.interrupt?.();
    await this.reloading;
    const { running } = this;
    this.running = undefined;
    if (running !== undefined) this.retire(running);
  }

  /** Resolves once the file is not being loaded. */
  async settled(): Promise<void> {
    await this.reloading;
  }

  /** Resolves once no former version has requests. */
  async drained(): Promise<void> {
    await Promise.all(this.draining.values());
  }

  /** Ends all versions. */
  async stop(deadline: number): Promise<void> {
    this.removed = true;
    this.interrupt?.();
    await this.reloading?.catch(() => undefined);
    const { running, draining } = this;
    const all = running === undefined ? [...draining.keys()] : [running, ...draining.keys()];
    await Promise.all(all.map((generation) => generation.stop(deadline)));
  }

  private async loop(): Promise<Reload> {
    const began = performance.now();
    for (;;) {
      while (this.draining.size >= MAX_DRAINING) await Promise.race(this.draining.values());
      this.outdated = false;
      const result = await this.load();
      if (this.removed) return { kind: 'removed' };
      if (this.outdated) continue;
      if (result.kind !== 'running') return result;
      return { ...result, duration: performance.now() - began };
    }
  }

  /** Starts a generation. It replaces the running one, unless the file changes before. */
  private async load(): Promise<Reload> {
    const { owner, running } = this;
    this.startedAt = Date.now();
    const imported = new Set<string>();
    const inspectPorts = await owner.inspectPorts(this);
    const generation = new Generation(this.path, this.options, {
      env: owner.env,
      inspectPorts,
      ownsContract: (name) => owner.ownsContract(this, name),
      replacedContracts: [...this.contracts, ...owner.deletedContracts],
      imported: (files) => {
        for (const file of files) imported.add(file);
        this.addImports(files);
      },
      inspectable: (port) => owner.inspectable(this, port),
    });
    const failure = await Promise.race([generation.start(), this.interrupted(generation)]);
    if (failure === 'outdated' || this.removed) {
      this.retire(generation);
      return { kind: 'removed' };
    }
    this.failed = failure?.kind;
    if (failure !== undefined) {
      this.retire(generation);
      const keeps = running !== undefined;
      return failure.kind === 'refused' ? { ...failure, keeps } : { ...failure, kind: 'failed', keeps };
    }
    this.running = generation;
    for (const file of this.imports) if (!imported.has(file) && file !== this.path) this.imports.delete(file);
    if (running !== undefined) this.retire(running);
    return { kind: 'running', duration: 0, incompatibility: generation.incompatibility };
  }

  /** Resolves when a version is outdated, or its file deleted, before one of its workers registered. */
  private interrupted(generation: Generation): Promise<'outdated'> {
    return new Promise((resolve) => {
      this.interrupt = () => {
        if (!generation.registered) resolve('outdated');
      };
    });
  }

  private addImports(files: readonly string[]): void {
    const before = this.imports.size;
    for (const file of files) this.imports.add(file);
    if (this.imports.size > before) this.owner.importsChanged();
  }

  /** Lets a generation finish its requests. */
  private retire(generation: Generation): void {
    const ended = generation.stop(this.owner.drain).catch(() => undefined);
    this.draining.set(
      generation,
      ended.then(() => this.retired(generation)),
    );
  }

  private retired(generation: Generation): void {
    this.draining.delete(generation);
    const { contract } = generation;
    if (contract !== undefined && !this.contracts.includes(contract)) this.owner.forget([contract]);
  }
}
