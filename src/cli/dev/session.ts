/** A development session: the worker files of a folder, reloaded when a file changes that they use. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isWorkerFile, listWorkerFiles } from '../nodes/worker-files.ts';
import { PACKAGE_FOLDER } from '../process/package.ts';
import { readEnvFiles } from './env-files.ts';
import type { WorkerOptions } from './generation.ts';
import type { InspectorPorts } from './inspector-ports.ts';
import type { DevOutput } from './output.ts';
import type { TypeCheck } from './type-check.ts';
import { Watcher, type WatcherOwner } from './watcher.ts';
import { type Reload, WorkerFile, type WorkerFileOwner } from './worker-file.ts';

/** Files that a type check reads. */
const TYPED = /\.[cm]?tsx?$|\.json$/;

/** Files of the project whose change may make a failed import succeed. */
const INSTALLATION = ['package.json', 'package-lock.json'];

export interface SessionOptions {
  readonly cwd: string;
  /** Folder with worker files. */
  readonly workers: string;
  readonly envFiles: readonly string[];
  /** Environment of this process. */
  readonly env: NodeJS.ProcessEnv;
  /** Further files: when one of them changes, all workers are reloaded. */
  readonly watched: readonly string[];
  /** Files that are read only at the start. */
  readonly startFiles: readonly string[];
  /** Time allowed for requests in flight of a former version, in ms. */
  readonly drain: number;
  readonly worker: WorkerOptions;
  /** Type check that holds back versions with errors; undefined: none. */
  readonly types: () => Pick<TypeCheck, 'filesWithErrors'> | undefined;
  /** Undefined: no debugger. */
  readonly inspector: InspectorPorts | undefined;
  readonly output: DevOutput;
}

export class Session implements WorkerFileOwner, WatcherOwner {
  private readonly files = new Map<string, WorkerFile>();
  private readonly watcher: Watcher;
  private readonly readAllAt = Date.now();
  private variables: NodeJS.ProcessEnv;
  private deleted: WorkerFile[] = [];
  /** Files whose new version has type errors. */
  private readonly held = new Set<WorkerFile>();
  private started = false;
  private closed = false;
  private warnedOfWatching = false;

  constructor(private readonly options: SessionOptions) {
    this.variables = this.readEnv();
    this.watcher = new Watcher(this);
  }

  /** Base names of the worker files. */
  get names(): string[] {
    return [...this.files.keys()].map((file) => path.basename(file));
  }

  get env(): NodeJS.ProcessEnv {
    return this.variables;
  }

  get drain(): number {
    return this.options.drain;
  }

  get deletedContracts(): readonly string[] {
    return this.deleted.flatMap(({ contracts }) => contracts);
  }

  /** Loads all worker files. A file that fails is reported, and loaded again when it changes. */
  async start(): Promise<void> {
    const { workers, cwd, envFiles, watched, startFiles, output } = this.options;
    const installation = INSTALLATION.map((name) => path.join(cwd, name));
    this.watcher.add([path.join(workers, '*'), ...envFiles, ...watched, ...startFiles, ...installation]);
    const found = listWorkerFiles(workers);
    if (found.length === 0) output.warn(`${output.name(workers)} has no worker file yet`);
    for (const file of found) this.addFile(file);
    await this.reload([...this.files.values()], []);
    this.started = true;
  }

  /** Ends all workers. @param deadline time allowed for requests in flight, in ms. */
  async close(deadline: number): Promise<void> {
    this.closed = true;
    await this.watcher.close();
    await Promise.all([...this.files.values(), ...this.deleted].map((file) => file.stop(deadline)));
  }

  isRelevant(file: string): boolean {
    return this.isWorker(file) || this.isShared(file) || this.usersOf(file).length > 0;
  }

  readAt(file: string): number | undefined {
    const users = this.usersOf(file);
    if (users.length > 0) return Math.min(...users.map(({ startedAt }) => startedAt));
    return this.isShared(file) ? this.readAllAt : undefined;
  }

  changed(changed: ReadonlySet<string>): void {
    if (!this.closed) void this.update(changed);
  }

  failed(error: Error): void {
    if (this.warnedOfWatching) return;
    this.warnedOfWatching = true;
    const remedy = 'set CHOKIDAR_USEPOLLING=1 to poll the files instead';
    this.options.output.warn(`cannot watch files: ${error.message}; ${remedy}`);
  }

  ownsContract(file: WorkerFile, name: string): boolean {
    return [...this.files.values()].every((other) => other === file || !other.contracts.includes(name));
  }

  async inspectPorts(file: WorkerFile): Promise<readonly number[] | undefined> {
    return this.options.inspector?.portsOf(file.path);
  }

  importsChanged(): void {
    for (const file of this.files.values()) this.watcher.add(this.watchedImports(file));
  }

  inspectable(file: WorkerFile, port: number): void {
    const { output } = this.options;
    output.note(`${output.name(file.path)}: a debugger can attach to 127.0.0.1:${port}`);
  }

  forget(contracts: readonly string[]): void {
    const served = [...this.files.values()].flatMap((file) => file.contracts);
    for (const name of contracts) if (!served.includes(name)) this.options.worker.contracts.remove(name);
  }

  /** Handles changed files: removes, adds and reloads workers. */
  private async update(changed: ReadonlySet<string>): Promise<void> {
    const { output, envFiles, startFiles } = this.options;
    const all = [...changed];
    for (const file of all.filter((each) => startFiles.includes(each)))
      output.note(`${output.name(file)} changed: start dev again to use it`);
    if (all.some((file) => envFiles.includes(file))) this.variables = this.readEnv();
    const gone = all.filter((file) => this.files.has(file) && !existsSync(file));
    const removed = gone.flatMap((file) => this.files.get(file) ?? []);
    this.deleted.push(...removed);
    for (const { path: file } of removed) this.files.delete(file);
    const affected = new Set<WorkerFile>();
    for (const file of all) {
      if (this.isWorker(file) && existsSync(file)) affected.add(this.files.get(file) ?? this.addFile(file));
      for (const user of this.usersOf(file)) affected.add(user);
    }
    if (all.some((file) => this.reloadsAll(file))) for (const file of this.files.values()) affected.add(file);
    // New files take over from deleted ones, which therefore leave last.
    await this.reload(await this.withoutTypeErrors(affected, all), all);
    if (removed.length > 0) await Promise.all([...this.files.values()].map((file) => file.settled()));
    for (const file of removed) {
      await file.remove();
      this.forget(file.contracts);
      output.removed(file.path);
      void file.drained().then(() => {
        this.deleted = this.deleted.filter((each) => each !== file);
      });
    }
    if (removed.length > 0) await this.retryRefused();
  }

  /** Called when the last type error is gone. */
  typesFixed(): void {
    if (this.held.size > 0) this.changed(new Set());
  }

  /** Returns the files to reload. A running version is kept if the new one has type errors. */
  private async withoutTypeErrors(
    affected: Set<WorkerFile>,
    changed: readonly string[],
  ): Promise<WorkerFile[]> {
    for (const file of this.held) if (this.files.has(file.path)) affected.add(file);
    this.held.clear();
    const types = this.options.types();
    if (types === undefined || !changed.some((file) => TYPED.test(file))) return [...affected];
    const wrong = await types.filesWithErrors();
    return [...affected].filter((file) => {
      if (!file.isRunning || ![...file.imports].some((each) => wrong.has(each))) return true;
      this.held.add(file);
      this.options.output.held(file.path);
      return false;
    });
  }

  /** Reloads files at the same time. Files that conflicted with another one are tried again then. */
  private async reload(files: readonly WorkerFile[], changed: readonly string[]): Promise<void> {
    const results = await Promise.all(files.map((file) => this.reloadOne(file, changed)));
    if (results.some((result) => result.kind === 'running')) await this.retryRefused();
  }

  private async retryRefused(): Promise<void> {
    const refused = [...this.files.values()].filter(({ failed }) => failed === 'refused');
    await Promise.all(refused.map((file) => this.reloadOne(file, [], true)));
  }

  /** @param quiet whether to report only success. */
  private async reloadOne(file: WorkerFile, changed: readonly string[], quiet = false): Promise<Reload> {
    // The first caller of a reload reports its result.
    const joined = file.isReloading;
    const result = await file.reload();
    if (joined) return result;
    const isFirst = !this.started && result.kind === 'running';
    if (isFirst || this.closed || (quiet && result.kind !== 'running')) return result;
    const causes = changed.filter((each) => file.imports.has(each) || this.reloadsAll(each));
    this.options.output.reloaded(file.path, result, causes);
    return result;
  }

  private addFile(file: string): WorkerFile {
    const added = new WorkerFile(file, this.options.worker, this);
    this.files.set(file, added);
    return added;
  }

  private readEnv(): NodeJS.ProcessEnv {
    const { env, problems } = readEnvFiles(this.options.envFiles, this.options.env);
    for (const problem of problems) this.options.output.warn(problem);
    return env;
  }

  private isWorker(file: string): boolean {
    return path.dirname(file) === this.options.workers && isWorkerFile(path.basename(file));
  }

  private isShared(file: string): boolean {
    return this.reloadsAll(file) || this.options.startFiles.includes(file) || this.isInstallation(file);
  }

  private reloadsAll(file: string): boolean {
    return this.options.envFiles.includes(file) || this.options.watched.includes(file);
  }

  private isInstallation(file: string): boolean {
    return path.dirname(file) === this.options.cwd && INSTALLATION.includes(path.basename(file));
  }

  /** Workers that use a file, and workers whose imports failed if it may be an installed package. */
  private usersOf(file: string): WorkerFile[] {
    const installs = this.isInstallation(file);
    return [...this.files.values()].filter(
      (worker) => this.watchedImports(worker).includes(file) || (installs && worker.failed === 'module'),
    );
  }

  /** Imported files that the user may change: not those of this package. */
  private watchedImports({ imports }: WorkerFile): string[] {
    const own = ['src', 'dist'].map((folder) => path.join(PACKAGE_FOLDER, folder) + path.sep);
    return [...imports].filter((file) => !own.some((folder) => file.startsWith(folder)));
  }
}
