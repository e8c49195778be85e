/**
 * Long work in steps. A generator yields between them, so that one and the same code runs at once where a caller waits
 * for it, and in slices where the event loop has other work in between.
 */
import { setImmediate as turn } from 'node:timers/promises';

/** Work that may be interrupted wherever it yields. */
export type Steps<T> = Generator<void, T, void>;

/** Longest slice, in milliseconds; a step that takes longer is not interrupted. */
const SLICE = 8;

/** How work is cut into slices. */
export interface SliceOptions {
  /** Ends the work before its next slice. */
  readonly signal?: AbortSignal | undefined;
  /** Monotonic time, in milliseconds. */
  readonly now?: () => number;
  /** Resolves when the event loop has done its other work. */
  readonly pause?: () => Promise<unknown>;
}

/** Runs all steps at once. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Runs the steps in slices of about 8 milliseconds and gives the event loop its turn between them.
 *
 * @throws the signal's reason when it is aborted; what the work throws otherwise.
 */
export async function runInSlices<T>(steps: Steps<T>, options: SliceOptions = {}): Promise<T> {
  const { signal, now = () => performance.now(), pause = turn } = options;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const end = now() + SLICE;
      do {
        const step = steps.next();
        if (step.done === true) return step.value;
      } while (now() < end);
      await pause();
    }
  } finally {
    // After an abort: lets the work clean up.
    steps.return(undefined as T);
  }
}
