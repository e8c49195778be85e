/**
 * Processes that tests start. `npm test` sets a variable that all of them inherit, and each test
 * file adds its name to it (`mark-test-file.mjs`). Linux only; elsewhere nothing is found.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Variable with `RUN` or `RUN:FILE`. */
export const MARK = 'ZMQ_GATEWAY_TEST_RUN';

/**
 * Returns the processes of a run, or of one of its files, with their command and file.
 *
 * @param {string} run
 * @param {string} [file]
 */
export function processesOf(run, file) {
  const mark = `${MARK}=${run}${file === undefined ? '' : `:${file}\0`}`;
  return pids().flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      if (pid === process.pid || !environment.includes(mark)) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [{ pid, command, file: fileIn(environment) }];
    } catch {
      return []; // The process has ended in the meantime.
    }
  });
}

/** Ends processes at once. */
export function kill(processes) {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The process has ended in the meantime.
    }
  }
}

function pids() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function fileIn(environment) {
  const variable = environment.split('\0').find((entry) => entry.startsWith(`${MARK}=`)) ?? '';
  return variable.split(':')[1];
}
