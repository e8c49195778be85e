/** Runs a worker module in the thread of its parent, with the interface of a thread. */
import { EventEmitter } from 'node:events';
import type { ModuleHost } from './module-host.ts';
import type { ModuleSetup, ToThread } from './thread-messages.ts';

/**
 * The parent notices no blocked event loop, since its own is blocked. A module that crashes ends the
 * process.
 */
export class ModuleInParent extends EventEmitter implements ModuleHost {
  private deliver: ((message: ToThread) => void) | undefined;
  /** Messages that arrive while the module loads. */
  private early: ToThread[] = [];
  private hasEnded = false;

  constructor(setup: ModuleSetup) {
    super();
    this.serve(setup).catch((error: unknown) => {
      if (this.hasEnded) return;
      this.emit('error', error);
      this.end(1);
    });
  }

  postMessage(message: ToThread): void {
    if (this.deliver === undefined) this.early.push(message);
    else this.deliver(message);
  }

  /** The replies of handlers that still run are dropped. Only their signals can stop them. */
  terminate(): Promise<void> {
    this.end(1);
    return Promise.resolve();
  }

  private async serve(setup: ModuleSetup): Promise<void> {
    const { serveModule } = await import('./module-service.ts');
    const port = {
      postMessage: (message: unknown): void => {
        if (!this.hasEnded) this.emit('message', message);
      },
      on: (_event: 'message', listener: (message: ToThread) => void): void => {
        this.deliver = listener;
        for (const message of this.early) listener(message);
        this.early = [];
      },
      close: (): void => this.end(0),
    };
    await serveModule({ mayOpenSockets: true, port, startPulse: () => () => undefined }, setup);
  }

  private end(code: number): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.emit('exit', code);
  }
}
