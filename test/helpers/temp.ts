/** Temporary folders, removed with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './scope.ts';

/**
 * Maximum length of a Unix socket's path that libzmq accepts on Linux: sun_path without its final
 * zero.
 */
const LONGEST_IPC_PATH = 107;

/** Creates an empty folder, which is removed with its content when the test ends. */
export function tempFolder(cleanup: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'zg-'));
  cleanup.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/**
 * Returns a path in its own folder that is short enough for a Unix socket, whatever the temp folder
 * is.
 */
export function ipcPath(cleanup: Cleanup, name = 's'): string {
  const path = join(tempFolder(cleanup), name);
  if (path.length <= LONGEST_IPC_PATH) return path;
  const folder = mkdtempSync('/tmp/zg-');
  cleanup.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}
