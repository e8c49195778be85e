/** Starts the host of a worker module. */
import type { HostEnvironment, ModuleHost } from './module-host.ts';
import { ModuleInParent } from './module-in-parent.ts';
import { ModuleProcess } from './module-process.ts';
import { newThread } from './new-thread.ts';
import type { ThreadSetup } from './thread-messages.ts';

/** Where a worker module runs; `none`: in the thread of its parent. */
export type Isolation = 'none' | 'thread' | 'process';

export function newHost(isolation: Isolation, setup: ThreadSetup, environment: HostEnvironment): ModuleHost {
  if (isolation === 'none') return new ModuleInParent(setup);
  return isolation === 'process' ? new ModuleProcess(setup, environment) : newThread(setup, environment.env);
}
