/** worker: what the rest of the project may use of it. */
export { defineWorker, loadWorkerModule, type WorkerDefinition } from './define.ts';
export { ZeroMQWorkerThreads, type ZeroMQWorkerThreadsOptions } from './threads.ts';
export { ZeroMQWorker, type ZeroMQWorkerOptions } from './worker.ts';
