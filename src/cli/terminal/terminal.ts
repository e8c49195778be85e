import { closeSync, openSync } from 'node:fs';

/** Whether the process still has the terminal in which it was started. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
