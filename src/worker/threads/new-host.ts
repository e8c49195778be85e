/** Starts the host of a worker module: a thread, or a process with the same interface. */
import type { HostEnvironment, ModuleHost } from './module-host.ts';
import { ModuleProcess } from './module-process.ts';
import { newThread } from './new-thread.ts';
import type { ThreadSetup } from './thread-messages.ts';

/** Where a worker module runs. */
export type Isolation = 'thread' | 'process';

export function newHost(isolation: Isolation, setup: ThreadSetup, environment: HostEnvironment): ModuleHost {
  return isolation === 'process' ? new ModuleProcess(setup, environment) : newThread(setup, environment.env);
}
