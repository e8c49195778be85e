/** What a worker module reports about itself while it is developed. */

/** Why a module cannot be loaded, in a form that travels between threads and processes. */
export interface LoadFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

/** `imports`: files that the module imported. `inspector`: a debugger can attach to its process. */
export type ModuleReport =
  | { readonly type: 'imports'; readonly files: readonly string[] }
  | { readonly type: 'load-failed'; readonly failure: LoadFailure }
  | { readonly type: 'inspector'; readonly port: number };

/**
 * How `zeromq-gateway dev` runs the modules of a group of worker threads.
 *
 * @internal
 */
export interface ModuleHosting {
  /** Where the modules start. */
  readonly isolation: 'thread' | 'process';
  /** Environment variables of the modules. */
  readonly env: NodeJS.ProcessEnv;
  /** Debugger port of each process, by the index of its thread; undefined: no debugger. */
  readonly inspectPorts: readonly number[] | undefined;
  onReport(report: ModuleReport): void;
}
