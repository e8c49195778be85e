/**
 * The log that the checker reads: what callers asked and were told, and what workers ran. One JSON object a line, in
 * files of a folder, one file for each process that writes. A line is with the kernel once `write` returns, so that
 * one who is killed right after has told what it began.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** A request, as its caller sent it. */
export interface Asked {
  readonly t: 'asked';
  readonly id: string;
  readonly idempotent: boolean;
}

/** What the caller was told. */
export interface Settled {
  readonly t: 'settled';
  readonly id: string;
  /** Empty on success; a code of the catalogue or a worker's own; NO_ANSWER where HTTP broke off. */
  readonly code: string;
  readonly status: number;
  /** What the caller was told of it; undefined where it was told nothing. */
  readonly dispatched: boolean | undefined;
  /** On success, the execution that the reply says it comes from. */
  readonly by?: string;
}

/** A handler began to run a request, or came to its end. */
export interface Ran {
  readonly t: 'began' | 'ended';
  readonly id: string;
  /** Names the execution: no two are called the same. */
  readonly by: string;
}

export type Entry = Asked | Settled | Ran;

/** Code of a request whose HTTP connection broke off: nobody told what became of it. */
export const NO_ANSWER = 'NO_ANSWER';

export class Log {
  private readonly fd: number;

  /** @param name of the file; one that is there is continued. */
  constructor(folder: string, name: string) {
    this.fd = openSync(path.join(folder, `${name}.jsonl`), 'a');
  }

  write(entry: Entry): void {
    writeSync(this.fd, `${JSON.stringify(entry)}\n`);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Everything in the log files of a folder. A last line that was cut off by a kill is left out. */
export function readLogs(folder: string): Entry[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => {
      const lines = readFileSync(path.join(folder, name), 'utf8').split('\n');
      return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
    });
}
