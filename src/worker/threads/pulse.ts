/**
 * Detects a stalled thread. The thread increments a count in shared memory: by a timer, and so
 * whenever its event loop turns, and with each request it starts. The parent reads the count; a
 * message would queue behind others.
 */
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';

/** Consecutive checks that a thread may miss; together they span the stall timeout. */
const CHECKS = 10;

/** Passed to a thread at its start. */
export interface Pulse {
  /** A counter in shared memory. */
  readonly beats: Int32Array;
  /** Interval of beats and of checks, in ms. */
  readonly interval: number;
}

/**
 * Creates the pulse of a thread that may stall for at most `threadStallTimeout` ms; `Infinity`
 * disables the check.
 */
export function newPulse(threadStallTimeout: number): Pulse {
  return { beats: new Int32Array(new SharedArrayBuffer(4)), interval: threadStallTimeout / CHECKS };
}

/** Returns a function that counts one beat of a thread, or on behalf of a process. */
export function beatOf({ beats }: Pulse): () => void {
  return () => void Atomics.add(beats, 0, 1);
}

/**
 * Starts the beats of the thread. Returns a function that beats once more, for work that continues
 * without a turn of the event loop.
 */
export function startPulse(pulse: Pulse): () => void {
  return startBeats(beatOf(pulse), pulse.interval);
}

/** Starts a beat each `interval` ms. Returns a function that beats once more. */
export function startBeats(beat: () => void, interval: number): () => void {
  const next = (): void => {
    beat();
    systemClock.after(interval, next);
  };
  next();
  return beat;
}

/**
 * The parent's side. It counts its own checks instead of reading a clock. If the parent or the
 * whole process stalls, the count grows by at most one.
 */
export class PulseWatch {
  private cancel: Cancel | undefined;
  private seen = 0;
  private missed = 0;

  /**
   * Starts watching.
   *
   * @param onStalled called once, when the thread has stalled for longer than allowed
   */
  constructor(
    private readonly pulse: Pulse,
    private readonly onStalled: () => void,
    private readonly clock: Clock = systemClock,
  ) {}

  start(): void {
    this.cancel = this.clock.after(this.pulse.interval, () => this.check());
  }

  stop(): void {
    this.cancel?.();
  }

  private check(): void {
    const beats = Atomics.load(this.pulse.beats, 0);
    this.missed = beats === this.seen ? this.missed + 1 : 0;
    this.seen = beats;
    // The first missed check may follow right after a beat, so the time between two beats does not
    // count.
    if (this.missed > CHECKS) this.onStalled();
    else this.start();
  }
}
