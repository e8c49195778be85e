/** The goodbye of a worker to a router, which then dispatches nothing further and confirms it. */
import { systemClock } from '../core/time/clock.ts';

/** How long a router that answered the hello has to answer the goodbye, in ms. */
const GOODBYE_WAIT = 1000;

export class Goodbye {
  /** The router has confirmed it. */
  confirmed = false;
  private onEnd: (() => void) | undefined;

  /** Resolves when the router has confirmed, cannot confirm, or has not done so in time. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancelWait = systemClock.after(GOODBYE_WAIT, resolve);
      this.onEnd = () => {
        cancelWait();
        resolve();
      };
      signal.addEventListener('abort', this.onEnd, { once: true });
    });
  }

  confirm(): void {
    this.confirmed = true;
    this.onEnd?.();
  }

  /** The connection is lost: the router cannot confirm. */
  connectionLost(): void {
    this.onEnd?.();
  }
}
