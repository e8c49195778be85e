/**
 * Logs: the `Logger` that the framework writes to, and `setupLogging`, which sends it to a file and the console.
 */
import { createRequire } from 'node:module';
import { type DestinationStream, multistream, type Logger as PinoLogger, pino } from 'pino';
import type * as PinoPretty from 'pino-pretty';
import { toError } from '../messages/thrown.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { LogFile } from './log-file.ts';
import { LEVELS, LevelGate, LevelSwitch, type LogLevel } from './log-level.ts';
import { type LogSink, SINK_LIMIT, standardSink } from './log-sink.ts';
import { redact } from './redact.ts';

export type { LogLevel } from './log-level.ts';

/** Logs a message, with fields if there are any. An error goes into the field `err`, or alone. */
export interface LogMethod {
  (fields: object, message?: string, ...values: unknown[]): void;
  (message: string, ...values: unknown[]): void;
}

/** What the framework logs to. A pino logger is one. */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** Whether a line of this level would be written: ask before costly fields are put together. */
  isLevelEnabled(level: LogLevel): boolean;
  /** A logger that adds fields to every line. */
  child(fields: Record<string, unknown>): Logger;
}

const ignore = (): void => undefined;

/** Logs nothing. */
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

/** Options of `setupLogging`. Durations in ms. */
export interface LoggingOptions {
  /** Least level that goes to the file. Default `debug`. */
  level?: LogLevel;
  /** Least level that goes to the console. Default `info`. */
  consoleLevel?: LogLevel | 'silent';
  /** Where the console is. Default `stdout`. */
  console?: 'stdout' | 'stderr';
  /** Lines for people or for machines on the console. Default: for people where it is a terminal. */
  pretty?: boolean;
  /** Bytes after which a new file is begun. Default 10 MB. */
  maxFileSize?: number;
  /** Age at which log files are removed. Default 7 days. */
  retention?: number;
  /** Characters that may wait, for file and console each, while disk or reader is slow; then lines are lost. Default 8 Mi. */
  maxBuffer?: number;
  clock?: Clock;
}

/** A log on the console whose least level may be changed while it runs. */
export interface ConsoleLogging {
  readonly logger: Logger;
  /** Least level that goes to the console, from all loggers made of this one too. */
  consoleLevel: LogLevel | 'silent';
}

/** A running set-up of logs. */
export interface Logging extends ConsoleLogging {
  /** The file that is written now. */
  readonly file: string;
  /** Lines lost because disk or reader were too slow. */
  readonly dropped: number;
  /** Writes what waits and closes the file. Nodes made later log to stderr again. */
  close(): Promise<void>;
}

/** The logger of nodes that were given none. */
let current: Logger | undefined;
/** Warnings and errors to stderr; made when it is first asked for. */
let fallback: Logger | undefined;

/** What a node logs to when it is given no logger: that of `setupLogging`, else warnings and errors on stderr. */
export function defaultLogger(): Logger {
  if (current !== undefined) return current;
  fallback ??= consoleLogger('warn');
  return fallback;
}

/**
 * A logger that writes to the console alone.
 *
 * @param level least level that is written; default `info`.
 * @param output where the console is; default `stderr`.
 */
export function consoleLogger(
  level: LogLevel | 'silent' = 'info',
  output: 'stdout' | 'stderr' = 'stderr',
): Logger {
  return level === 'silent' ? silentLogger : consoleLogging(level, output).logger;
}

/** As `consoleLogger`; the level may be changed later. */
export function consoleLogging(
  level: LogLevel | 'silent' = 'info',
  output: 'stdout' | 'stderr' = 'stderr',
): ConsoleLogging {
  const sink = standardSink(output);
  flushAtExit(sink);
  const levels = new LevelSwitch(level);
  const logger = makeLogger(levels, consoleStream(sink, output));
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

/** Sinks in use. */
const sinksInUse = new Set<LogSink>();

function flushAll(): void {
  for (const sink of sinksInUse) sink.flushSync();
}

/** What waits in the sink is written when the process ends. */
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
 * Sends the log of the whole process to a file `debug_<YYYY-MM-DD_HH-MM-SS>.log` in `folder` (level DEBUG; a new file each
 * 10 MB; files older than 7 days are removed) and to the console (level INFO). Lines are JSON; on a terminal they are
 * written for people. Secrets (fields named like passwords, keys, tokens, authorization, cookies) are blotted out.
 *
 * Logging never blocks the event loop: see `maxBuffer`. What waits is written when the process ends by itself or by
 * process.exit().
 *
 * @throws ZeroMQConfigError when the folder cannot be made or written.
 */
export function setupLogging(folder: string, options: LoggingOptions = {}): Logging {
  const { level = 'debug', consoleLevel = 'info', maxBuffer = SINK_LIMIT, clock = systemClock } = options;
  const { maxFileSize = 10_000_000, retention = 7 * 24 * 3_600_000 } = options;
  const output = options.console ?? 'stdout';
  const file = LogFile.open(folder, { maxSize: maxFileSize, retention, limit: maxBuffer, clock });
  const sinks: LogSink[] = [file];
  const sink = standardSink(output, maxBuffer);
  sinks.push(sink);
  const gate = new LevelGate(consoleStream(sink, output, options.pretty), consoleLevel);
  const levels = new LevelSwitch(leastOf([level, consoleLevel]));
  const streams: { level: LogLevel; stream: DestinationStream }[] = [{ level, stream: file }];
  streams.push({ level: 'trace', stream: gate });
  const logger = makeLogger(levels, multistream(streams));
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
  const logger = pino(
    {
      level: levels.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: loggedFields },
      serializers: { err: loggedError, error: loggedError },
    },
    target,
  );
  return withRedactedChildren(logger, levels);
}

/** An error as it is logged. An error that came from a thread is a plain object already. */
function loggedError(value: unknown): unknown {
  try {
    return redact(value instanceof Error ? { ...pino.stdSerializers.err(value) } : value);
  } catch {
    // The serializer reads every member, and writes to the error: a getter may throw, the error may be frozen.
    const { name, message, stack } = toError(value);
    return { type: name, message, stack };
  }
}

/** The fields of a line; a line whose fields cannot be read is logged without them. */
function loggedFields(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    return redact(fields);
  } catch (error) {
    return { unreadableFields: toError(error).message };
  }
}

/** The same logger; fields of its children, which formatters do not see, are redacted too. */
function withRedactedChildren(logger: PinoLogger, levels: LevelSwitch): Logger {
  levels.add(logger);
  const child = (fields: Record<string, unknown>): Logger =>
    withRedactedChildren(logger.child(loggedFields(fields)), levels);
  return Object.create(logger, { child: { value: child } }) as Logger;
}

/** A stream to the console: lines for people, in colour, where it is a terminal. */
function consoleStream(sink: LogSink, name: 'stdout' | 'stderr', pretty?: boolean): DestinationStream {
  const terminal = process[name].isTTY;
  if (!(pretty ?? terminal)) return sink;
  // Loaded here, since few processes have a terminal and it takes its time.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
  const colorize = terminal && process[name].hasColors();
  const format = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid',
    singleLine: true,
  });
  return { write: (line) => sink.write(format(line)) };
}
