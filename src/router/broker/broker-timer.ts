import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import type { Broker } from './broker.ts';

/** Calls `tick` of the broker when something is due. */
export class BrokerTimer {
  private cancel: Cancel | undefined;
  private armedFor = Infinity;
  private closed = false;

  constructor(
    private readonly broker: Pick<Broker, 'nextWakeup' | 'tick'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Call after anything that may have moved the next wakeup forward. */
  arm(): void {
    const next = this.broker.nextWakeup();
    if (next >= this.armedFor || this.closed) return;
    this.cancel?.();
    this.armedFor = next;
    this.cancel = this.clock.after(Math.max(0, next - this.clock.now()), () => {
      this.armedFor = Infinity;
      this.cancel = undefined;
      this.broker.tick(this.clock.now());
      this.arm();
    });
  }

  /** Stops permanently. */
  close(): void {
    this.closed = true;
    this.cancel?.();
    this.cancel = undefined;
  }
}
