/** worker: what the rest of the project may use of it. */
export { defineWorker, loadWorkerModule, type WorkerDefinition } from './define.ts';
export { ZeroMQWorkerThreads } from './threads.ts';
export type { ZeroMQWorkerThreadsOptions } from './threads-options.ts';
export { ZeroMQWorker, type ZeroMQWorkerOptions } from './worker.ts';
