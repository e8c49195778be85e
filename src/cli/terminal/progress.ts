/** A word that something takes its time, on a terminal only. */
import type { Surroundings } from '../settings/command.ts';

/** What ends sooner (ms) shows nothing. */
const PATIENCE = 1000;
/** Time between two pictures, ms. */
const BEAT = 120;

const PICTURES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

const CLEAR = '\u001b[K';

/**
 * Shows a spinner, what goes on and for how long, from the first second until `done` settles. The cursor stays at the
 * begin of the line, so that a line of the log that comes meanwhile is written over it.
 *
 * @param limit ms that it may take, where there is a limit; it is shown.
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
