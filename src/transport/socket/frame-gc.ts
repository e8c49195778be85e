/**
 * Gives the memory of frames back soon after they were passed on.
 *
 * zeromq.js hands frames out uncopied: their memory is libzmq's until the garbage collector finds that nobody holds them
 * any more. V8 counts it, and begins to mark the whole heap once some 8 MB more of it than before are held, then 64 MB; it
 * goes on in steps with every further frame, which costs several times what passing a large message on does. Nearly all
 * frames are let go within a turn or two: a scavenge of the young generation, a fraction of a millisecond, finds
 * them as well. So there is one after each 8 MiB, and while that is so a small heap is not marked in steps: where it has to
 * be marked after all, that takes a few milliseconds in one go.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';

/** Bytes of frames between two scavenges. */
const SCAVENGE_EVERY = 8 * 1024 * 1024;

/** Bytes of a heap up to which it is not marked in steps; a larger one would stand still for too long. */
const SMALL_HEAP = 64 * 1024 * 1024;

/** How long after the last scavenge marking in steps is allowed again, in ms. */
const CALM = 1000;

/** The garbage collector, as much of it as is needed. */
export interface Collector {
  /** Collects the young generation. */
  scavenge(): void;
  /** Bytes of JavaScript objects. */
  heapUsed(): number;
  /** Whether the heap may be marked in steps (V8's `--incremental-marking`). */
  markInSteps(allowed: boolean): void;
}

export class FrameGc {
  private held = 0;
  private calm: Cancel | undefined;

  constructor(
    private readonly collector: Collector,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Takes note of a message that came. */
  note(frames: readonly Buffer[]): void {
    for (const frame of frames) this.held += frame.length;
    if (this.held >= SCAVENGE_EVERY) this.scavenge();
  }

  private scavenge(): void {
    this.held = 0;
    this.collector.scavenge();
    this.calm?.();
    this.calm = undefined;
    const small = this.collector.heapUsed() <= SMALL_HEAP;
    this.collector.markInSteps(!small);
    if (small) this.calm = this.clock.after(CALM, () => this.collector.markInSteps(true));
  }
}

type Collect = (options: { type: 'minor' }) => void;

/** V8's own, by flags that may be set while it runs. */
class V8Collector implements Collector {
  private collect: Collect | undefined;

  scavenge(): void {
    this.collect ??= exposedCollect();
    this.collect({ type: 'minor' });
  }

  heapUsed(): number {
    return getHeapStatistics().used_heap_size;
  }

  markInSteps(allowed: boolean): void {
    setFlagsFromString(allowed ? '--incremental-marking' : '--no-incremental-marking');
  }
}

/** V8's `gc`, which is there only where a flag asks for it when a context is made. */
function exposedCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}

/** Of all sockets of this thread. */
export const frameGc: FrameGc = new FrameGc(new V8Collector());
