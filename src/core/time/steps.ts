/**
 * Splits long work into steps. The work is a generator that yields between steps. The same code can
 * run synchronously, or in slices that leave the event loop time for other work.
 */
import { setImmediate as turn } from 'node:timers/promises';

/** Work that can be interrupted wherever it yields. */
export type Steps<T> = Generator<void, T, void>;

/** Target duration of a slice in milliseconds; a longer step is not interrupted. */
const SLICE = 8;

/** Options of {@link runInSlices}. */
export interface SliceOptions {
  /** Aborts the work before its next slice. */
  readonly signal?: AbortSignal | undefined;
  /** Monotonic time in milliseconds. */
  readonly now?: () => number;
  /** Resolves after the event loop has handled its other work. */
  readonly pause?: () => Promise<unknown>;
}

/** Runs all steps synchronously. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Runs the steps in slices of about 8 milliseconds and yields to the event loop between them.
 *
 * @throws the reason of `signal` if it aborts, else whatever the work throws.
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
    // After an abort, this runs the `finally` blocks of the work.
    steps.return(undefined as T);
  }
}
