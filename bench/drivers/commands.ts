/** Commands from the harness to the drivers. */

/** To a client: keep a window of requests in flight. The reply is a `LoadResult`. */
export interface RunCommand {
  readonly window: number;
  readonly seconds: number;
  /**
   * Number of events called in turn, starting with `echo.0`.
   *
   * @defaultValue 1
   */
  readonly events?: number;
}

/** To a client: send this many requests at once. The reply is the time of the last response. */
export interface BurstCommand {
  readonly burst: number;
}

/** To a worker: reply with this many bytes from now on; 0 to echo the request. */
export interface ReplyCommand {
  readonly replyBytes: number;
}

/**
 * To a worker: hold incoming requests, or reply to the held ones. The reply is the time at which
 * this was done.
 */
export interface HoldCommand {
  readonly hold: boolean;
}

/** Milliseconds on a clock that all processes of the machine share. */
export function moment(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Name of the event with this index. */
export function eventName(index: number): string {
  return `echo.${index}`;
}
