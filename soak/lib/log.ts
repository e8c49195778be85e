/**
 * The log that the checker reads: requests and outcomes as seen by callers, and executions as seen
 * by workers. Each line is a JSON object; each writing process has a file of its own in the folder.
 * `write` is synchronous: a line has reached the kernel when it returns, so a process killed right
 * after has still logged what it began.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** A request, as sent by its caller. */
export interface Sent {
  readonly t: 'sent';
  readonly id: string;
  readonly idempotent: boolean;
}

/** The outcome, as seen by the caller. */
export interface Settled {
  readonly t: 'settled';
  readonly id: string;
  /**
   * Empty on success; otherwise a code of the catalogue or a worker's own, or NO_RESPONSE if the HTTP
   * connection was closed.
   */
  readonly code: string;
  readonly status: number;
  /** Value of `dispatched` in the outcome; undefined if the outcome has none. */
  readonly dispatched: boolean | undefined;
  /** On success, the execution that the reply names as its origin. */
  readonly by?: string;
  /** Why there was no response. */
  readonly reason?: string;
}

/** The start or the end of a handler's execution. */
export interface Execution {
  readonly t: 'began' | 'ended';
  readonly id: string;
  /** Unique name of the execution. */
  readonly by: string;
}

/** A durable request that its caller must find again: the gateway answered 202, or it has a key. */
export interface Accepted {
  readonly t: 'accepted';
  readonly id: string;
}

/** How a durable request ended, as its caller reads it. It may be read several times. */
export interface Final {
  readonly t: 'final';
  readonly id: string;
  /** A final state of the store, or `missing` if no gateway knows the request. */
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'unknown' | 'missing';
  /** Empty on success. */
  readonly code: string;
  /** On success, the execution that the reply names as its origin. */
  readonly by?: string | undefined;
}

export type Entry = Sent | Settled | Execution | Accepted | Final;

/** Code of a request whose HTTP connection was closed before the outcome was known. */
export const NO_RESPONSE = 'NO_RESPONSE';

export class Log {
  private readonly fd: number;

  /** @param name name of the file. An existing file is continued. */
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

/** Reads all log files of a folder. A last line truncated by a kill is skipped. */
export function readLogs(folder: string): Entry[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => {
      const lines = readFileSync(path.join(folder, name), 'utf8').split('\n');
      return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
    });
}
