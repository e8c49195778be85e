/** The worker: the exports that the rest of the project may use. */
export { defineWorker, loadWorkerModule, type WorkerDefinition } from './define-worker.ts';
export { ZeroMQWorkerThreads } from './threads/threads.ts';
export type { ZeroMQWorkerThreadsOptions } from './threads/threads-options.ts';
export { ZeroMQWorker, type ZeroMQWorkerOptions } from './worker.ts';
