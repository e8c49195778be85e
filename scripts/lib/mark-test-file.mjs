/** Preloaded into each test file: marks the processes that the file starts. */
import path from 'node:path';
import { MARK } from './test-processes.mjs';

const [, file] = process.argv;
if (file !== undefined && process.env[MARK] !== undefined) {
  const [run] = process.env[MARK].split(':');
  process.env[MARK] = `${run}:${path.relative(process.cwd(), file)}`;
}
