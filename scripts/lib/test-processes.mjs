/**
 * Processes that tests start. `npm test` sets a variable for each test file that they inherit. Linux
 * only; elsewhere nothing is found.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Variable with `RUN:FILE`. */
export const MARK = 'ZMQ_GATEWAY_TEST_RUN';

/**
 * Returns the processes of a run (`RUN`) or of one of its files (`RUN:FILE`), with their command and
 * file.
 *
 * @param {string} mark
 */
export function processesOf(mark) {
  const entry = `${MARK}=${mark}${mark.includes(':') ? '\0' : ':'}`;
  return pids().flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      if (pid === process.pid || !`${environment}\0`.includes(entry)) return [];
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
