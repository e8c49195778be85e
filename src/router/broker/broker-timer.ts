import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import type { Broker } from './broker.ts';

/** Ticks the core when something comes due. */
export class BrokerTimer {
  private cancel: Cancel | undefined;
  private armedFor = Infinity;
  private closed = false;

  constructor(
    private readonly core: Pick<Broker, 'nextWakeup' | 'tick'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** To be called after anything that may have set an earlier time. */
  arm(): void {
    const next = this.core.nextWakeup();
    if (next >= this.armedFor || this.closed) return;
    this.cancel?.();
    this.armedFor = next;
    this.cancel = this.clock.after(Math.max(0, next - this.clock.now()), () => {
      this.armedFor = Infinity;
      this.cancel = undefined;
      this.core.tick(this.clock.now());
      this.arm();
    });
  }

  /** Stops for good. */
  close(): void {
    this.closed = true;
    this.cancel?.();
    this.cancel = undefined;
  }
}
