/**
 * Loggers: the {@link Logger} interface of the framework, and {@link setupLogging}, which logs to a
 * file and the console.
 */
import type * as Pino from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import type * as PinoPretty from 'pino-pretty';
import { lazyPackage } from '../identity/lazy-package.ts';
import { toError } from '../messages/thrown.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { LogFile } from './log-file.ts';
import { LEVELS, LevelGate, LevelSwitch, type LogLevel } from './log-level.ts';
import { type LogSink, SINK_LIMIT, standardSink } from './log-sink.ts';
import { redact } from './redact.ts';

export type { LogLevel } from './log-level.ts';

// Processes that log nothing load neither. Few have a terminal, which needs the second one.
const pino = lazyPackage<typeof Pino>('pino');
const pinoPretty = lazyPackage<typeof PinoPretty>('pino-pretty');

/** Logs a message, optionally with fields. Pass an error as the field `err`, or alone. */
export interface LogMethod {
  (fields: object, message?: string, ...values: unknown[]): void;
  (message: string, ...values: unknown[]): void;
}

/** Interface of the loggers that the framework uses. A pino logger satisfies it. */
export interface Logger {
  /** Logs details of single messages. The framework itself logs nothing at this level. */
  readonly trace: LogMethod;
  /** Logs details for debugging. */
  readonly debug: LogMethod;
  /** Logs normal changes of state, such as an established connection. */
  readonly info: LogMethod;
  /** Logs a problem that the node handles by itself. */
  readonly warn: LogMethod;
  /** Logs a failure that needs attention. */
  readonly error: LogMethod;
  /** Logs a failure that ends the process. */
  readonly fatal: LogMethod;
  /** Whether lines of this level are written. Check it before computing expensive fields. */
  isLevelEnabled(level: LogLevel): boolean;
  /** Returns a logger that adds fields to every line. */
  child(fields: Record<string, unknown>): Logger;
}

const ignore = (): void => undefined;

/** A logger that discards everything. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  isLevelEnabled: () => false,
  child: () => silentLogger,
};

/** Options of {@link setupLogging}. */
export interface LoggingOptions {
  /**
   * Minimum level in the log file.
   * @defaultValue 'debug'
   */
  level?: LogLevel;
  /**
   * Minimum level on the console.
   * @defaultValue 'info'
   */
  consoleLevel?: LogLevel | 'silent';
  /**
   * Stream of the console: standard error, as in the Python original, so that standard output is
   * free for results.
   * @defaultValue 'stderr'
   */
  console?: 'stdout' | 'stderr';
  /**
   * Whether console lines are formatted for people instead of as JSON.
   * @defaultValue true when the console is a terminal
   */
  pretty?: boolean;
  /**
   * Maximum size of a log file in bytes; then a new file is started.
   * @defaultValue 10,000,000
   */
  maxFileSize?: number;
  /**
   * Age in milliseconds at which log files are removed.
   * @defaultValue 7 days
   */
  retention?: number;
  /**
   * Maximum number of characters buffered while the disk or reader is slow, separately for file and
   * console. Further lines are dropped.
   * @defaultValue 8 Mi
   */
  maxBuffer?: number;
  /**
   * Clock for file names and retention.
   * @defaultValue the system clock
   */
  clock?: Clock;
}

/** A console logger whose level can be changed at run time. */
export interface ConsoleLogging {
  /** The logger to pass to nodes, or to derive others from. */
  readonly logger: Logger;
  /** Minimum level on the console, including loggers derived from this one. */
  consoleLevel: LogLevel | 'silent';
}

/** Handle returned by {@link setupLogging}. */
export interface Logging extends ConsoleLogging {
  /** Path of the current log file. */
  readonly file: string;
  /** Number of lines dropped because the disk or reader was too slow. */
  readonly dropped: number;
  /** Writes buffered lines and closes the file. Nodes created later log to stderr again. */
  close(): Promise<void>;
}

/** Logger of nodes that were created without one. */
let current: Logger | undefined;
/** Logs warnings and errors to stderr; created on first use. */
let fallback: Logger | undefined;

/**
 * The logger of a node without a `logger` option: that of `setupLogging`, else warnings and errors
 * on stderr.
 */
export function defaultLogger(): Logger {
  if (current !== undefined) return current;
  fallback ??= consoleLogger('warn');
  return fallback;
}

/**
 * Creates a logger that writes only to the console.
 *
 * @param level minimum level.
 * @param output stream of the console.
 */
export function consoleLogger(
  level: LogLevel | 'silent' = 'info',
  output: 'stdout' | 'stderr' = 'stderr',
): Logger {
  return level === 'silent' ? silentLogger : consoleLogging(level, output).logger;
}

/**
 * Like {@link consoleLogger}, with a level that can be changed later.
 *
 * @param pretty whether lines are formatted for people. Defaults to true on a terminal.
 */
export function consoleLogging(
  level: LogLevel | 'silent' = 'info',
  output: 'stdout' | 'stderr' = 'stderr',
  pretty?: boolean,
): ConsoleLogging {
  const sink = standardSink(output);
  flushAtExit(sink);
  const levels = new LevelSwitch(level);
  const logger = makeLogger(levels, consoleStream(sink, output, pretty));
  return {
    logger,
    get consoleLevel() {
      return levels.level;
    },
    set consoleLevel(changed) {
      levels.set(changed);
    },
  };
}

/** Sinks to flush when the process exits. */
const sinksInUse = new Set<LogSink>();

function flushAll(): void {
  for (const sink of sinksInUse) sink.flushSync();
}

/** Registers a sink whose buffer is written when the process exits. */
function flushAtExit(sink: LogSink): void {
  if (sinksInUse.size === 0) process.on('exit', flushAll);
  sinksInUse.add(sink);
}

async function closeSink(sink: LogSink): Promise<void> {
  await sink.close();
  sinksInUse.delete(sink);
  if (sinksInUse.size === 0) process.off('exit', flushAll);
}

/**
 * Sends the log of the whole process to a file and to the console.
 *
 * The file is `debug_<YYYY-MM-DD_HH-MM-SS>.log` in `folder`. A new file is started every 10 MB, and
 * files older than 7 days are removed. Lines are JSON; on a terminal they are formatted for people.
 * Values of secret fields (passwords, keys, tokens, authorization, cookies) are redacted.
 *
 * Logging never blocks the event loop; see `maxBuffer`. Buffered lines are written when the process
 * exits normally or through `process.exit()`.
 *
 * @param folder folder of the log files; created if it is missing.
 * @param options levels, console, rotation and buffering.
 * @returns a handle with the current file and `close()`.
 * @throws {ZeroMQConfigError} when the folder or the file cannot be created.
 * @example
 * ```ts
 * const logging = setupLogging('logs', { consoleLevel: 'warn' });
 * // …
 * await logging.close();
 * ```
 */
export function setupLogging(folder: string, options: LoggingOptions = {}): Logging {
  const { level = 'debug', consoleLevel = 'info', maxBuffer = SINK_LIMIT, clock = systemClock } = options;
  const { maxFileSize = 10_000_000, retention = 7 * 24 * 3_600_000 } = options;
  const output = options.console ?? 'stderr';
  const file = LogFile.open(folder, { maxSize: maxFileSize, retention, limit: maxBuffer, clock });
  const sinks: LogSink[] = [file];
  const sink = standardSink(output, maxBuffer);
  sinks.push(sink);
  const gate = new LevelGate(consoleStream(sink, output, options.pretty), consoleLevel);
  const levels = new LevelSwitch(leastOf([level, consoleLevel]));
  const streams: { level: LogLevel; stream: DestinationStream }[] = [{ level, stream: file }];
  streams.push({ level: 'trace', stream: gate });
  const logger = makeLogger(levels, pino().multistream(streams));
  sinks.forEach(flushAtExit);
  current = logger;
  return {
    logger,
    get consoleLevel() {
      return gate.level;
    },
    set consoleLevel(changed) {
      gate.level = changed;
      levels.set(leastOf([level, changed]));
    },
    get file() {
      return file.path;
    },
    get dropped() {
      return sinks.reduce((sum, sink) => sum + sink.dropped, 0);
    },
    async close() {
      if (current === logger) current = undefined;
      await Promise.all(sinks.map(closeSink));
    },
  };
}

function leastOf(levels: readonly (LogLevel | 'silent')[]): LogLevel {
  return LEVELS.find((level) => levels.includes(level)) ?? 'fatal';
}

function makeLogger(levels: LevelSwitch, target: DestinationStream): Logger {
  const { pino: createLogger, stdTimeFunctions } = pino();
  const logger = createLogger(
    {
      level: levels.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: loggedFields },
      serializers: { err: loggedError, error: loggedError },
    },
    target,
  );
  return withRedactedChildren(logger, levels);
}

/** Serializes an error. An error from a worker thread is a plain object already. */
function loggedError(value: unknown): unknown {
  try {
    return redact(value instanceof Error ? { ...pino().stdSerializers.err(value) } : value);
  } catch {
    // The serializer reads every member and writes to the error, but a getter may throw or the
    // error be frozen.
    const { name, message, stack } = toError(value);
    return { type: name, message, stack };
  }
}

/** Redacts the fields of a line. A line whose fields cannot be read is logged without them. */
function loggedFields(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    return redact(fields);
  } catch (error) {
    return { unreadableFields: toError(error).message };
  }
}

/** Derives a logger whose children redact their fields too, since formatters do not see these. */
function withRedactedChildren(logger: PinoLogger, levels: LevelSwitch): Logger {
  levels.add(logger);
  const child = (fields: Record<string, unknown>): Logger =>
    withRedactedChildren(logger.child(loggedFields(fields)), levels);
  return Object.create(logger, { child: { value: child } }) as Logger;
}

/** Creates the stream to the console: formatted for people, in colour, on a terminal. */
function consoleStream(sink: LogSink, name: 'stdout' | 'stderr', pretty?: boolean): DestinationStream {
  const terminal = process[name].isTTY;
  if (!(pretty ?? terminal)) return sink;
  const colorize = terminal && process[name].hasColors();
  const format = pinoPretty().prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid',
    singleLine: true,
  });
  return { write: (line) => sink.write(format(line)) };
}
