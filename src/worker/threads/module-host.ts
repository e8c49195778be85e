/**
 * The host of a worker module of `ZeroMQWorkerThreads`: a thread, or a process or this thread with
 * the same interface.
 */
import type { FromThread, ToThread } from './thread-messages.ts';

/** Environment of a host. */
export interface HostEnvironment {
  /** Environment variables; undefined: those of this process. */
  readonly env: NodeJS.ProcessEnv | undefined;
  /** Port of the debugger of a process; undefined: no debugger. */
  readonly inspectPort: number | undefined;
}

export interface ModuleHost {
  postMessage(message: ToThread, transfer?: readonly ArrayBuffer[]): void;
  /** Terminates the host immediately. */
  terminate(): Promise<unknown>;
  on(event: 'message', listener: (message: FromThread) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number | string) => void): unknown;
  once(event: 'exit', listener: (code: number | string) => void): unknown;
}
