/** What the harness may tell the drivers. */

/** To a client: keep a window of round trips under way. Answered with a `LoadResult`. */
export interface RunCommand {
  readonly window: number;
  readonly seconds: number;
  /** Number of events that are called in turn, `echo.0` and on; default 1. */
  readonly events?: number;
}

/** To a client: send so many requests at once. Answered with the moment of the last reply. */
export interface BurstCommand {
  readonly burst: number;
}

/** To a worker: from now on answer with so many bytes; 0: with what came. */
export interface ReplyCommand {
  readonly replyBytes: number;
}

/** To a worker: keep what comes, or let go of it. Answered with the moment it did so. */
export interface HoldCommand {
  readonly hold: boolean;
}

/** Milliseconds on the clock that all processes of a machine share. */
export function moment(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Name of event number `index`. */
export function eventName(index: number): string {
  return `echo.${index}`;
}
