/** Waits for changes of stored requests, in this process or another one. */
import { ReleasingMap } from '../../core/collections/releasing-map.ts';

/** How often a waiting client reads the state again, in case a change was missed, in ms. */
const POLL = 10_000;

type Listener = () => void;

/** Reports the ids of requests that change. */
export interface ChangeSource {
  watch(listener: (id: string) => void): () => void;
}

export class RequestChanges {
  private readonly listeners = new ReleasingMap<string, Set<Listener>>();
  private readonly unwatch: () => void;
  private isDraining = false;

  constructor(source: ChangeSource) {
    this.unwatch = source.watch((id) => {
      for (const listener of [...(this.listeners.get(id) ?? [])]) listener();
    });
  }

  /**
   * Calls `listener` after each change, at least every {@link POLL}, and when the gateway drains.
   *
   * @returns a function that stops it.
   */
  on(id: string, listener: Listener): () => void {
    const listeners = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, listeners.add(listener));
    const timer = setInterval(listener, POLL).unref();
    return () => {
      clearInterval(timer);
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(id) === listeners) this.listeners.take(id);
    };
  }

  /**
   * Resolves when `hasEnded` resolves with true after a change, when `wait` ms are over, when the
   * signal aborts, or when the gateway drains. Rejects if `hasEnded` does.
   */
  async waitFor(
    id: string,
    wait: number,
    signal: AbortSignal,
    hasEnded: () => Promise<boolean>,
  ): Promise<boolean> {
    let wake: Listener = () => undefined;
    let changed = false;
    const notify = (): void => {
      changed = true;
      wake();
    };
    const stop = this.on(id, notify);
    const due = performance.now() + wait;
    const timer = setTimeout(notify, wait).unref();
    signal.addEventListener('abort', notify, { once: true });
    try {
      for (;;) {
        changed = false;
        if (await hasEnded()) return true;
        if (signal.aborted || this.isDraining || performance.now() >= due - 1) return false;
        if (!changed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      stop();
      clearTimeout(timer);
      signal.removeEventListener('abort', notify);
    }
  }

  /** Wakes all that wait, now and from now on. */
  drain(): void {
    this.isDraining = true;
    for (const listeners of [...this.listeners.values()]) for (const listener of [...listeners]) listener();
  }

  close(): void {
    this.drain();
    this.unwatch();
  }
}
