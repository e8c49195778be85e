/**
 * worker: connects to routers, announces its events and runs their handlers. These are the exports
 * that the rest of the project may use.
 */
export {
  defineWorker,
  loadWorkerModule,
  type WorkerDefinition,
  type WorkerSettings,
} from './define-worker.ts';
export { ZeroMQWorkerThreads } from './threads/threads.ts';
export type { ZeroMQWorkerThreadsOptions } from './threads/threads-options.ts';
export { ZeroMQWorker, type ZeroMQWorkerBaseOptions, type ZeroMQWorkerOptions } from './worker.ts';
