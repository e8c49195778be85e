/**
 * Tells when a thread stands still. The thread counts in shared memory: with a timer, so whenever its event loop turns,
 * and with each request that it begins. The parent looks at the count; a message would wait behind others.
 */
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';

/** Checks in a row, for the time that is allowed, that a thread may miss. */
const CHECKS = 10;

/** Given to a thread at its start. */
export interface Pulse {
  /** One count, in shared memory. */
  readonly beats: Int32Array;
  /** Time between beats, and between checks; ms. */
  readonly interval: number;
}

/** The pulse of a thread that may stand still for `threadStallTimeout` ms; `Infinity` for a thread that nobody watches. */
export function newPulse(threadStallTimeout: number): Pulse {
  return { beats: new Int32Array(new SharedArrayBuffer(4)), interval: threadStallTimeout / CHECKS };
}

/** One beat of a thread, or in the name of a process. */
export function beatOf({ beats }: Pulse): () => void {
  return () => void Atomics.add(beats, 0, 1);
}

/** The thread's side: beats from now on. @returns one more beat, for work that goes on without a turn of the loop. */
export function startPulse(pulse: Pulse): () => void {
  return startBeats(beatOf(pulse), pulse.interval);
}

/** Beats from now on, each `interval` ms. @returns one more beat. */
export function startBeats(beat: () => void, interval: number): () => void {
  const next = (): void => {
    beat();
    systemClock.after(interval, next);
  };
  next();
  return beat;
}

/**
 * The parent's side. Counts its own checks, not the time on a clock: where the parent itself, or the whole process, stood
 * still, one check more is missed at most.
 */
export class PulseWatch {
  private cancel: Cancel | undefined;
  private seen = 0;
  private missed = 0;

  /** @param frozen called once, when the thread stood still for longer than allowed. */
  constructor(
    private readonly pulse: Pulse,
    private readonly frozen: () => void,
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
    // The first of them may come right after a beat: the time between two beats is no part of the silence.
    if (this.missed > CHECKS) this.frozen();
    else this.start();
  }
}
