/** Progress indicator for slow operations, shown on terminals only. */
import type { Surroundings } from '../settings/command.ts';

/** Delay before the indicator appears, in milliseconds. */
const PATIENCE = 1000;
/** Time between two frames of the spinner, in milliseconds. */
const BEAT = 120;

const PICTURES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

const CLEAR = '\u001b[K';

/**
 * Shows a spinner, the current activity and the elapsed time until `done` settles. The first frame
 * appears after one second. The cursor stays at the start of the line, so a log line overwrites the
 * indicator.
 *
 * @param limit maximum duration to show, in milliseconds.
 */
export async function withProgress<T>(
  { terminal }: Surroundings,
  what: string,
  done: Promise<T>,
  limit?: number,
): Promise<T> {
  if (terminal === undefined) return done;
  const began = performance.now();
  const of = limit === undefined ? '' : ` of ${Math.round(limit / 1000)}`;
  let shown = 0;
  let timer = setTimeout(function show() {
    const seconds = Math.floor((performance.now() - began) / 1000);
    terminal.write(`\r${CLEAR}${PICTURES[shown % PICTURES.length]} ${what} (${seconds}${of} s)\r`);
    shown += 1;
    timer = setTimeout(show, BEAT).unref();
  }, PATIENCE).unref();
  try {
    return await done;
  } finally {
    clearTimeout(timer);
    if (shown > 0) terminal.write(`\r${CLEAR}`);
  }
}
