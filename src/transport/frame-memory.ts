/**
 * Gives the memory of frames back soon after they were passed on.
 *
 * zeromq.js hands frames out uncopied: their memory is libzmq's until the garbage collector finds that nobody holds them
 * any more. V8 counts it, and begins to mark the whole heap once more than a few dozen MB have come, which costs several
 * times what passing a large message on does. Nearly all frames are let go within a turn or two: a scavenge of the young
 * generation, a fraction of a millisecond, finds them as well. docs/benchmarks.md has the figures.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of frames between two scavenges. V8 begins to mark between 16 and 64 MB of them. */
const SCAVENGE_EVERY = 8 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

let collect: Collect | undefined;
let held = 0;

/** Takes note of a message that came. */
export function noteFrames(frames: readonly Buffer[]): void {
  for (const frame of frames) held += frame.length;
  if (held < SCAVENGE_EVERY) return;
  held = 0;
  collect ??= exposedCollector();
  collect({ type: 'minor' });
}

/** V8's `gc`, which is there only where a flag asks for it when a context is made. */
function exposedCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}
