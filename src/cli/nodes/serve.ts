/** Running until a signal: start, say so in one line, drain, end. */
import { withResolvers } from '../../core/collections/deferred.ts';
import { toError } from '../../core/messages/errors.ts';
import type { Surroundings } from '../settings/command.ts';
import { CommandError, EXIT } from '../settings/errors.ts';
import { painter } from '../terminal/colours.ts';
import { withProgress } from '../terminal/progress.ts';

const STOP_SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof STOP_SIGNALS;

/**
 * The same signal again within so many ms is an echo: a terminal sends Ctrl-C to npm and to us, and npm passes its
 * own on.
 */
const ECHO = 100;

/**
 * Calls `first` at the first SIGINT or SIGTERM; the second ends the process at once, with 128 plus its number.
 * Returns what takes the listeners off.
 */
export function onStopSignals(first: (signal: StopSignal) => void): () => void {
  let seen: { signal: StopSignal; at: number } | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    const name = signal as StopSignal;
    if (seen === undefined) {
      seen = { signal: name, at: performance.now() };
      first(name);
    } else if (name !== seen.signal || performance.now() - seen.at > ECHO) {
      process.exit(128 + STOP_SIGNALS[name]);
    }
  };
  const names = Object.keys(STOP_SIGNALS);
  for (const name of names) process.on(name, handle);
  return () => {
    for (const name of names) process.off(name, handle);
  };
}

/** Time (ms) after its drain that a command has to close what it opened; then the process exits all the same. */
const CLOSE_GRACE = 1000;

/** What a command has opened, to be closed in reverse order. */
export class Opened {
  /** Resolves with the error when something that should run for ever ended by itself. */
  readonly failed: Promise<Error>;
  private readonly fail: (error: Error) => void;
  private readonly closers: (() => unknown)[][] = [];
  private closing = false;
  private drainEnd = 0;

  constructor() {
    const { promise, resolve } = withResolvers<Error>();
    this.failed = promise;
    this.fail = resolve;
  }

  /**
   * Leaves word of how to close something.
   *
   * @param closed settles when it ended, whoever did it; with its error if it had one.
   */
  add(close: () => unknown, closed?: Promise<Error | undefined>): void {
    this.addAll([close]);
    void closed?.then((error) => {
      if (!this.closing) this.fail(error ?? new CommandError('a node ended by itself'));
    });
  }

  /** Leaves word of how to close several things, all at the same time. What is opened after `close` is closed at once. */
  addAll(closers: (() => unknown)[]): void {
    if (this.closing) void Promise.allSettled(closers.map(async (close) => void (await close())));
    else this.closers.push(closers);
  }

  /** Milliseconds left to drain, for all nodes of the command together. */
  get drainLeft(): number {
    return Math.max(0, this.drainEnd - performance.now());
  }

  /**
   * Closes everything, last opened first, even when one fails. Throws the first failure.
   *
   * @param drain ms for what is in flight.
   */
  async close(drain = 0): Promise<void> {
    this.closing = true;
    this.drainEnd = performance.now() + drain;
    let failure: unknown;
    for (let group = this.closers.pop(); group !== undefined; group = this.closers.pop()) {
      const results = await Promise.allSettled(group.map(async (close) => void (await close())));
      for (const result of results) if (result.status === 'rejected') failure ??= result.reason;
    }
    if (failure !== undefined) throw toError(failure);
  }
}

/**
 * Starts, prints the line that `start` gives, and runs until SIGINT or SIGTERM; then closes what is open. A signal while it
 * starts ends it without waiting for the start. The process exits at the latest `CLOSE_GRACE` after the drain.
 *
 * @param command its name, for the lines it prints.
 * @param drain ms for what is in flight when it stops.
 * @returns the exit code: 0 when it was stopped.
 * @throws what `start` throws, or the error of a node that ended by itself; everything is closed by then.
 */
export async function serve(
  command: string,
  drain: number,
  surroundings: Surroundings,
  start: (opened: Opened) => Promise<string>,
): Promise<number> {
  const opened = new Opened();
  const paint = painter(surroundings.colours?.out);
  const stop = withResolvers<StopSignal>();
  const release = onStopSignals((signal) => {
    surroundings.err(`zeromq-gateway ${command}: ${signal}, draining; a second signal ends at once`);
    stop.resolve(signal);
  });
  try {
    const started = start(opened);
    started.catch(() => undefined); // what fails after a signal came does not matter
    const stopped = stop.promise.then(() => undefined);
    const line = await withProgress(surroundings, 'starting', Promise.race([stopped, started]));
    if (line === undefined) return await end(opened, 0, EXIT.ok, release, surroundings);
    surroundings.out(`${paint('green', `zeromq-gateway ${command} is ready:`)} ${line}`);
    const ended = await Promise.race([stop.promise, opened.failed]);
    if (ended instanceof Error) throw ended;
  } catch (error) {
    await opened.close(drain).catch(() => undefined); // the first error tells more
    release();
    throw error;
  }
  return end(opened, drain, EXIT.failed, release, surroundings);
}

/** Closes what is open. Where that does not end in time, the process exits with `code`. */
async function end(
  opened: Opened,
  drain: number,
  code: number,
  release: () => void,
  surroundings: Surroundings,
): Promise<number> {
  const limit = setTimeout(() => {
    if (code !== EXIT.ok)
      surroundings.err(`cut: the command did not close ${CLOSE_GRACE} ms after its drain`);
    process.exit(code);
  }, drain + CLOSE_GRACE);
  try {
    await withProgress(surroundings, 'draining', opened.close(drain));
  } finally {
    clearTimeout(limit);
    release();
  }
  return EXIT.ok;
}
