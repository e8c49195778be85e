/**
 * Releases the memory of frames soon after they were forwarded, if the process asks for it: it
 * changes flags of V8, which the whole process shares. The command line does, a program that uses
 * the library decides itself.
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

/** The collector for all sockets of this thread; undefined without {@link tuneGarbageCollection}. */
let frameGc: FrameGc | undefined;

/** Counts a received message if garbage collection is tuned. */
export function noteFrames(frames: readonly Buffer[]): void {
  frameGc?.note(frames);
}

/**
 * Tunes the garbage collection of V8 for forwarding messages. The command line calls it unless
 * `--gc-tuning off` is given; importing this package does not. Call it at the start of a program
 * that mainly runs a router or a gateway. It affects the whole process and cannot be undone:
 *
 * - Incremental marking runs on the main thread only (`--no-concurrent-marking`).
 * - All objects begin in the young generation (`--no-allocation-site-pretenuring`).
 * - Each 8 MiB of frames that this thread receives cause a scavenge. While the heap is below 64 MiB,
 *   V8 does not mark it incrementally in the second after one (`--no-incremental-marking`).
 *
 * @example
 * ```ts
 * import { tuneGarbageCollection, ZeroMQRouter } from 'zeromq-gateway';
 *
 * tuneGarbageCollection();
 * const router = new ZeroMQRouter({
 *   frontendConnection: 'tcp://127.0.0.1:5555',
 *   backendConnection: 'tcp://127.0.0.1:5556',
 * });
 * await router.start();
 * ```
 */
export function tuneGarbageCollection(): void {
  // V8's helper threads cost more than they save here: a request through `up` takes 46 µs of CPU
  // time on two cores with them and 28 µs without (`npm run bench -- --only http-get`,
  // NODE_ENV=production).
  setFlagsFromString('--no-concurrent-marking');
  // In the first second, the young generation is small and most requests in flight survive its
  // collections. V8 may conclude from that to allocate some of their objects in the old generation
  // from then on. Dead ones keep whole requests alive there until the next major collection.
  setFlagsFromString('--no-allocation-site-pretenuring');
  frameGc ??= new FrameGc(new V8Collector());
}
