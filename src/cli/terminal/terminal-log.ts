/** The log of a command on a terminal: one line for people per message, and the stack of errors. */
import { isNativeError } from 'node:util/types';
import { LEVELS } from '../../core/logging/log-level.ts';
import {
  type ConsoleLogging,
  type Logger,
  type LogLevel,
  type LogMethod,
} from '../../core/logging/logging.ts';
import { describe } from '../../core/messages/thrown.ts';
import type { Painter } from './colours.ts';

const COLOURS = {
  trace: 'gray',
  debug: 'gray',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
} as const;

/** Fields that readers of this log do not need: the part that logs, and identities of named nodes. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node', 'module', 'err', 'thread', 'workerId']);

/** Frames of a stack that are shown. */
const MAX_FRAMES = 8;

/** Options of {@link terminalLog}. */
export interface TerminalLogOptions {
  /** Writes a line. */
  readonly write: (line: string) => void;
  readonly paint: Painter;
  readonly level: LogLevel | 'silent';
  /** Returns lines about the place of an error, shown below its stack. Default: none. */
  readonly frameOf?: (stack: string) => readonly string[];
}

/** Creates the log. */
export function terminalLog(options: TerminalLogOptions): ConsoleLogging {
  const { write, level } = options;
  const state = { level };
  const logs = (of: LogLevel): boolean =>
    state.level !== 'silent' && LEVELS.indexOf(of) >= LEVELS.indexOf(state.level);
  const loggerWith = (bound: Readonly<Record<string, unknown>>): Logger => {
    const method = (of: LogLevel): LogMethod => {
      return (fields: object | string, message?: unknown): void => {
        if (!logs(of)) return;
        const own = typeof fields === 'string' ? {} : isNativeError(fields) ? { err: fields } : fields;
        const text = typeof fields === 'string' ? fields : typeof message === 'string' ? message : '';
        for (const line of linesOf(of, text, { ...bound, ...own }, options)) write(line);
      };
    };
    return {
      trace: method('trace'),
      debug: method('debug'),
      info: method('info'),
      warn: method('warn'),
      error: method('error'),
      fatal: method('fatal'),
      isLevelEnabled: logs,
      child: (fields) => loggerWith({ ...bound, ...fields }),
    };
  };
  return {
    logger: loggerWith({}),
    get consoleLevel() {
      return state.level;
    },
    set consoleLevel(next) {
      state.level = next;
    },
  };
}

/** Derives a logger for a part whose messages at level INFO repeat what the command itself prints. */
export function withQuietInfo(logger: Logger): Logger {
  const child = (fields: Record<string, unknown>): Logger => withQuietInfo(logger.child(fields));
  return Object.create(logger, { info: { value: logger.debug }, child: { value: child } }) as Logger;
}

function linesOf(
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
  { paint, frameOf }: TerminalLogOptions,
): string[] {
  const shown = Object.entries(fields)
    .filter(([name, value]) => !LEFT_OUT.has(name) && value !== undefined)
    .map(([name, value]) => `${name}: ${describe(value)}`);
  const details = shown.length === 0 ? '' : paint('gray', ` (${shown.join(', ')})`);
  const { err } = fields as { err?: { message?: unknown; stack?: unknown } };
  const line = `${paint(COLOURS[level], level)} ${message}${details}`;
  return err === undefined ? [line] : [line, ...errorLines(err, frameOf)];
}

/** The stack of an error, and the lines about its place. */
function errorLines(
  { message, stack }: { message?: unknown; stack?: unknown },
  frameOf: TerminalLogOptions['frameOf'],
): string[] {
  const text = typeof stack === 'string' ? stack : describe(message);
  const lines = text.split('\n');
  const firstFrame = lines.findIndex((line) => /^\s+at /.test(line));
  const end = firstFrame < 0 ? lines.length : firstFrame + MAX_FRAMES;
  const frame = typeof stack === 'string' ? (frameOf?.(stack) ?? []) : [];
  return [...lines.slice(0, end), ...frame].map((line) => `  ${line}`);
}
