import { type Cancel, type Clock, systemClock } from '../time/clock.ts';

/** When a reason that still applies is logged again, in ms. */
const SECOND_AFTER = 5000;
/** Interval of later repetitions, in ms. */
const REPEAT_INTERVAL = 300_000;

/**
 * Logs why something does not work yet: a new reason at once, and the reason that still applies
 * after 5 seconds and then every 5 minutes.
 */
export class TroubleLog {
  /** The reason that applies; undefined if there is none, or none is known at the moment. */
  reason: string | undefined;
  private readonly logged = new Set<string>();
  private cancel: Cancel | undefined;

  constructor(
    private readonly log: (reason: string) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Notes a reason. Reasons that alternate are logged once each until they are repeated. */
  note(reason: string): void {
    this.reason = reason;
    if (!this.logged.has(reason)) {
      this.logged.add(reason);
      this.log(reason);
    }
    this.cancel ??= this.clock.after(SECOND_AFTER, () => this.repeat());
  }

  /** The trouble is over. Returns whether a reason was logged. */
  end(): boolean {
    const wasLogged = this.logged.size > 0;
    this.cancel?.();
    this.cancel = undefined;
    this.reason = undefined;
    this.logged.clear();
    return wasLogged;
  }

  private repeat(): void {
    if (this.reason !== undefined) this.log(this.reason);
    this.cancel = this.clock.after(REPEAT_INTERVAL, () => this.repeat());
  }
}
