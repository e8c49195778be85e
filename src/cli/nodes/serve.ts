/** Runs a command until a signal: start, print the ready line, drain, close. */
import { withResolvers } from '../../core/collections/deferred.ts';
import { toError } from '../../core/messages/errors.ts';
import type { CommandContext, SettingsSource } from '../settings/command.ts';
import { CommandError, EXIT } from '../settings/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { painter } from '../terminal/colours.ts';
import { withProgress } from '../terminal/progress.ts';
import { hasTerminal } from '../terminal/terminal.ts';
import { Reloads } from './reload.ts';
import { SystemdReports } from './systemd.ts';

const STOP_SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof STOP_SIGNALS;

/**
 * Time, in milliseconds, in which the same signal counts as a duplicate. On Ctrl-C the terminal
 * signals both npm and this process, and npm forwards its signal as well.
 */
const DUPLICATE_WINDOW = 100;

/**
 * Calls `onFirst` on the first SIGINT or SIGTERM. The second one exits the process at once with exit
 * code 128 plus the signal number. Returns a function that removes the listeners.
 */
export function onStopSignals(onFirst: (signal: StopSignal) => void): () => void {
  let seen: { signal: StopSignal; at: number } | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    const name = signal as StopSignal;
    if (seen === undefined) {
      seen = { signal: name, at: performance.now() };
      onFirst(name);
    } else if (name !== seen.signal || performance.now() - seen.at > DUPLICATE_WINDOW) {
      process.exit(128 + STOP_SIGNALS[name]);
    }
  };
  const names = Object.keys(STOP_SIGNALS);
  for (const name of names) process.on(name, handle);
  return () => {
    for (const name of names) process.off(name, handle);
  };
}

/**
 * Time, in milliseconds, that closing may take after the drain. The process exits when it is over.
 */
const CLOSE_GRACE = 1000;

/** The resources that a command has opened. They are closed in reverse order. */
export class Resources {
  /**
   * Resolves with the error when a long-running resource ends without being closed by the command.
   */
  readonly failed: Promise<Error>;
  private readonly fail: (error: Error) => void;
  private readonly closers: (() => unknown)[][] = [];
  private closing = false;
  private drainEnd = 0;
  /** Applies changed settings. */
  readonly reloads: Reloads;
  /** Exports traces and metrics; undefined if that is not configured. */
  telemetry: Telemetry | undefined;

  /** @param source the settings of the command; undefined if they cannot change. */
  constructor(source?: SettingsSource) {
    this.reloads = new Reloads(source);
    const { promise, resolve } = withResolvers<Error>();
    this.failed = promise;
    this.fail = resolve;
  }

  /**
   * Registers a function that closes a resource.
   *
   * @param closed settles when the resource has ended for any reason; resolves with the error if
   * there was one.
   */
  add(close: () => unknown, closed?: Promise<Error | undefined>): void {
    this.addAll([close]);
    void closed?.then((error) => {
      if (!this.closing) this.fail(error ?? new CommandError('a node closed unexpectedly'));
    });
  }

  /**
   * Registers functions to be called concurrently. If `close` has been called already, they are
   * called at once.
   */
  addAll(closers: (() => unknown)[]): void {
    if (this.closing) void Promise.allSettled(closers.map(async (close) => void (await close())));
    else this.closers.push(closers);
  }

  /** Milliseconds left to drain; all nodes of the command share them. */
  get drainLeft(): number {
    return Math.max(0, this.drainEnd - performance.now());
  }

  /**
   * Closes everything, last opened first, and continues when a resource fails to close.
   *
   * @param drain time for requests in flight, in milliseconds.
   * @throws the first failure, after everything was closed.
   */
  async close(drain = 0): Promise<void> {
    this.closing = true;
    this.reloads.close();
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
 * Starts a command, prints the line that `start` returns, and runs until SIGINT or SIGTERM; then
 * closes everything. A signal during the start ends it at once. The process exits at the latest
 * `CLOSE_GRACE` after the drain.
 *
 * @param command name of the command for the lines that are printed.
 * @param drain time for requests in flight when the command stops, in milliseconds.
 * @returns the exit code, 0 after a signal.
 * @throws what `start` throws, or the error of a node that ended unexpectedly; everything has been
 * closed by then.
 */
export async function serve(
  command: string,
  drain: number,
  context: CommandContext,
  start: (resources: Resources) => Promise<string>,
): Promise<number> {
  const resources = new Resources(context.source);
  const paint = painter(context.colours?.out);
  const stop = withResolvers<StopSignal | 'SIGHUP'>();
  const systemd = new SystemdReports(context.env, (text) =>
    context.err(`zeromq-gateway ${command}: ${text}`),
  );
  const onStop = (signal: StopSignal | 'SIGHUP'): void => {
    context.err(`zeromq-gateway ${command}: received ${signal}, draining; a second signal exits at once`);
    systemd.stopping();
    stop.resolve(signal);
  };
  const removeStopListeners = onStopSignals(onStop);
  // SIGHUP reloads, unless it says that the terminal of the command was closed.
  const onHangup = (): void => {
    if (context.terminal !== undefined && !hasTerminal()) onStop('SIGHUP');
    else void resources.reloads.reload('SIGHUP');
  };
  process.on('SIGHUP', onHangup);
  const removeListeners = (): void => {
    removeStopListeners();
    process.off('SIGHUP', onHangup);
  };
  try {
    const started = openTelemetry(command, context, resources).then(() => start(resources));
    started.catch(() => undefined); // errors of the start are irrelevant after a signal
    const stopped = stop.promise.then(() => undefined);
    const line = await withProgress(context, 'starting', Promise.race([stopped, started]));
    if (line === undefined) return await end(resources, 0, EXIT.ok, removeListeners, context);
    context.out(`${paint('green', `zeromq-gateway ${command} is ready:`)} ${line}`);
    systemd.ready(line);
    const ended = await Promise.race([stop.promise, resources.failed]);
    if (ended instanceof Error) throw ended;
  } catch (error) {
    await resources.close(drain).catch(() => undefined); // the first error is the more useful one
    removeListeners();
    throw error;
  }
  return end(resources, drain, EXIT.failed, removeListeners, context);
}

/** Starts the export of traces and metrics, if one is configured, before nodes are created. */
export async function openTelemetry(
  command: string,
  context: CommandContext,
  resources: Resources,
): Promise<void> {
  const { source, env } = context;
  const url = source?.current['otlp'];
  if (typeof url !== 'string') return;
  const { Telemetry } = await import('../telemetry/telemetry.ts');
  const telemetry = await Telemetry.start(url, command, env, (line) =>
    context.err(`zeromq-gateway ${command}: ${line}`),
  );
  resources.telemetry = telemetry;
  resources.add(() => telemetry.close());
}

/** Closes everything. If closing takes too long, the process exits with `code`. */
async function end(
  resources: Resources,
  drain: number,
  code: number,
  removeListeners: () => void,
  context: CommandContext,
): Promise<number> {
  const limit = setTimeout(() => {
    if (code !== EXIT.ok) context.err(`exiting: closing took longer than ${CLOSE_GRACE} ms after the drain`);
    process.exit(code);
  }, drain + CLOSE_GRACE);
  try {
    await withProgress(context, 'draining', resources.close(drain));
  } finally {
    clearTimeout(limit);
    removeListeners();
  }
  return EXIT.ok;
}
