/**
 * Progress indicator for slow operations, shown on terminals only. The package `nanospinner` 1.2.2
 * draws at once, hides the cursor, and installs handlers for SIGINT and SIGTERM, which the commands
 * handle themselves. commander has no indicator.
 */
import type { CommandContext } from '../settings/command.ts';

/** Delay before the indicator appears, in milliseconds. */
const APPEAR_DELAY = 1000;
/** Time between two frames of the spinner, in milliseconds. */
const FRAME_INTERVAL = 120;

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

const CLEAR = '\u001b[K';

/**
 * Shows a spinner, the current activity and the elapsed time until `done` settles. The first frame
 * appears after one second. The cursor stays at the start of the line, so a log line overwrites the
 * indicator.
 *
 * @param limit maximum duration to show, in milliseconds.
 */
export async function withProgress<T>(
  { terminal }: CommandContext,
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
    terminal.write(`\r${CLEAR}${FRAMES[shown % FRAMES.length]} ${what} (${seconds}${of} s)\r`);
    shown += 1;
    timer = setTimeout(show, FRAME_INTERVAL).unref();
  }, APPEAR_DELAY).unref();
  try {
    return await done;
  } finally {
    clearTimeout(timer);
    if (shown > 0) terminal.write(`\r${CLEAR}`);
  }
}
