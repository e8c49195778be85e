/** worker: what the rest of the project may use of it. */
export { defineWorker, loadWorkerModule, type WorkerDefinition } from './define-worker.ts';
export { ZeroMQWorkerThreads } from './threads/threads.ts';
export type { ZeroMQWorkerThreadsOptions } from './threads/threads-options.ts';
export { ZeroMQWorker, type ZeroMQWorkerOptions } from './worker.ts';
