/**
 * Stall limits: how long handlers of an event may hold a request, `stallTimeout` of its contract. A
 * handler that waits for something that never happens does not block its event loop, so the pulse
 * does not reveal it.
 */
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import type { WorkerDefinition } from '../define-worker.ts';
import type { HeldRequest } from './thread-executor.ts';

/** Checks during the shortest limit, and their minimum interval in ms. */
const CHECKS = 10;
const MIN_INTERVAL = 20;

/** The stall limits of a worker module by event, in ms; undefined if it has none. */
export function stallLimitsOf({ contract }: WorkerDefinition): ReadonlyMap<string, number> | undefined {
  const limits = new Map<string, number>();
  for (const [name, { stallTimeout }] of Object.entries(contract?.events ?? {}))
    if (stallTimeout !== undefined) limits.set(name, stallTimeout);
  return limits.size === 0 ? undefined : limits;
}

/** Watches the requests of a thread whose events have stall limits. */
export class StallWatch {
  private readonly interval: number;
  private cancel: Cancel | undefined;
  private checkedAt = 0;

  /**
   * Starts watching.
   *
   * @param held returns the requests without a reply, with the oldest one first.
   * @param onHung called once, with the first request that is held for too long.
   */
  constructor(
    private readonly limits: ReadonlyMap<string, number>,
    private readonly held: () => readonly HeldRequest[],
    private readonly onHung: (hung: HeldRequest) => void,
    private readonly clock: Clock = systemClock,
  ) {
    this.interval = Math.max(MIN_INTERVAL, Math.min(...limits.values()) / CHECKS);
    this.checkLater();
  }

  stop(): void {
    this.cancel?.();
  }

  /** Whether a request is held for longer than its event allows. */
  readonly isHung = ({ event, heldFor }: HeldRequest): boolean =>
    heldFor > (this.limits.get(event) ?? Infinity);

  private checkLater(): void {
    this.checkedAt = this.clock.now();
    this.cancel = this.clock.after(this.interval, () => this.check());
  }

  private check(): void {
    // After a pause of the whole process the replies may have arrived and not been read yet.
    const isLate = this.clock.now() - this.checkedAt > 2 * this.interval;
    const hung = isLate ? undefined : this.held().find(this.isHung);
    if (hung === undefined) this.checkLater();
    else this.onHung(hung);
  }
}
