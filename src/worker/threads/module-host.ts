/** What runs a worker module for a `ZeroMQWorkerThreads`: a thread, or a process with the same interface. */
import { ModuleProcess } from './module-process.ts';
import { newThread } from './new-thread.ts';
import type { FromThread, ThreadSetup, ToThread } from './thread-messages.ts';

export interface ModuleHost {
  postMessage(message: ToThread, transfer?: readonly ArrayBuffer[]): void;
  /** Ends it at once. */
  terminate(): Promise<unknown>;
  on(event: 'message', listener: (message: FromThread) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number | string) => void): unknown;
  once(event: 'exit', listener: (code: number | string) => void): unknown;
}

/** Where a worker module runs. */
export type Isolation = 'thread' | 'process';

export function newHost(isolation: Isolation, setup: ThreadSetup): ModuleHost {
  return isolation === 'process' ? new ModuleProcess(setup) : newThread(setup);
}
