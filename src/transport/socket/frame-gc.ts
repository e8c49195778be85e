/**
 * Releases the memory of frames soon after they were forwarded, if the process asks for it: it
 * changes flags of V8, which the whole process shares.
 *
 * zeromq.js passes frames on without a copy: libzmq owns their memory until the garbage collector
 * finds them unreferenced. V8 counts this memory. It starts to mark the whole heap after 8 MB more
 * of it than before, or later 64 MB, and continues in steps with every further frame. That costs
 * several times as much as forwarding a large message. Nearly all frames are unreferenced within a
 * turn or two, and a scavenge of the young generation finds them in a fraction of a millisecond.
 * One therefore runs after each 8 MiB. Meanwhile a small heap is not marked in steps; if it must be
 * marked after all, that takes a few milliseconds at once.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';

/** Bytes of frames between two scavenges. */
const SCAVENGE_EVERY = 8 * 1024 * 1024;

/**
 * Heap size in bytes up to which marking in steps is disabled; marking a larger heap at once would
 * pause too long.
 */
const SMALL_HEAP = 64 * 1024 * 1024;

/** How long after the last scavenge marking in steps is enabled again, in ms. */
const QUIET_TIME = 1000;

/** The part of the garbage collector that is needed here. */
export interface Collector {
  /** Collects the young generation. */
  scavenge(): void;
  /** Bytes of JavaScript objects. */
  heapUsed(): number;
  /** Whether the heap may be marked in steps (`--incremental-marking` of V8). */
  setIncrementalMarking(allowed: boolean): void;
}

export class FrameGc {
  /** Bytes of frames since the last scavenge. */
  private unreleased = 0;
  private cancelQuiet: Cancel | undefined;

  constructor(
    private readonly collector: Collector,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Counts a received message. */
  note(frames: readonly Buffer[]): void {
    for (const frame of frames) this.unreleased += frame.length;
    if (this.unreleased >= SCAVENGE_EVERY) this.scavenge();
  }

  private scavenge(): void {
    this.unreleased = 0;
    this.collector.scavenge();
    this.cancelQuiet?.();
    this.cancelQuiet = undefined;
    const small = this.collector.heapUsed() <= SMALL_HEAP;
    this.collector.setIncrementalMarking(!small);
    if (small)
      this.cancelQuiet = this.clock.after(QUIET_TIME, () => this.collector.setIncrementalMarking(true));
  }
}

type Collect = (options: { type: 'minor' }) => void;

/** The collector of V8, controlled by flags that may be changed at run time. */
class V8Collector implements Collector {
  private collect: Collect | undefined;

  scavenge(): void {
    this.collect ??= exposedCollect();
    this.collect({ type: 'minor' });
  }

  heapUsed(): number {
    return getHeapStatistics().used_heap_size;
  }

  setIncrementalMarking(allowed: boolean): void {
    setFlagsFromString(allowed ? '--incremental-marking' : '--no-incremental-marking');
  }
}

/** V8's `gc` function, which exists only in contexts created while a flag requests it. */
function exposedCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}

/** The collector for all sockets of this thread; undefined before {@link startFrameGc}. */
let frameGc: FrameGc | undefined;

/** Counts a received message after {@link startFrameGc}. */
export function noteFrames(frames: readonly Buffer[]): void {
  frameGc?.note(frames);
}

/** Counts the frames of all sockets of this thread from now on. */
export function startFrameGc(): void {
  frameGc ??= new FrameGc(new V8Collector());
}
