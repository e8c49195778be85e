/** Folders for the data of contenders, which are deleted when the benchmark ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes an empty folder. It must be on a disk: the cost of a flush is part of the measurement. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-data-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
