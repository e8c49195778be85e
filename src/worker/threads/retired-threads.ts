import type { ModuleHost } from './module-host.ts';

/** A worker without a thread. */
interface RetiredWorker {
  stop(options: { deadline: number }): Promise<void>;
  abandon(error: Error): Promise<void>;
}

/** Threads that have been replaced: each finishes its requests within a grace period, and then ends. */
export class RetiredThreads {
  private readonly retired = new Map<ModuleHost, { worker: RetiredWorker; ended: Promise<unknown> }>();

  /** @param grace time for the requests of the thread, in ms. */
  add(thread: ModuleHost, worker: RetiredWorker, grace: number): void {
    const stopped = worker.stop({ deadline: grace }).catch(() => undefined); // it ends in any case
    const ended = stopped.then(() => thread.terminate()).finally(() => this.retired.delete(thread));
    this.retired.set(thread, { worker, ended });
  }

  /** Resolves when all of them have ended. */
  async ended(): Promise<void> {
    await Promise.all(Array.from(this.retired.values(), ({ ended }) => ended));
  }

  /** Settles their requests without waiting for them. */
  async abandon(error: Error): Promise<void> {
    await Promise.all(Array.from(this.retired.values(), ({ worker }) => worker.abandon(error)));
  }

  async terminate(): Promise<void> {
    await Promise.all(Array.from(this.retired.keys(), (thread) => thread.terminate()));
  }
}
