/** The log of `zeromq-gateway dev`: lines for people, with a code frame below errors. */
import { isNativeError } from 'node:util/types';
import { LEVELS } from '../../core/logging/log-level.ts';
import {
  type ConsoleLogging,
  type Logger,
  type LogLevel,
  type LogMethod,
} from '../../core/logging/logging.ts';
import { describe } from '../../core/messages/thrown.ts';
import type { Painter } from '../terminal/colours.ts';
import { codeFrame } from './code-frame.ts';
import { placeOf } from './load-error.ts';

const COLOURS = {
  trace: 'gray',
  debug: 'gray',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
} as const;

/** Fields that say which part logs; readers of this log know it from the message. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node', 'module', 'err', 'thread']);

/** Frames of a stack that are shown. */
const MAX_FRAMES = 8;

/** Creates the log. @param write writes a line. */
export function devLog(
  write: (line: string) => void,
  paint: Painter,
  level: LogLevel | 'silent',
): ConsoleLogging {
  const state = { level };
  const logs = (of: LogLevel): boolean =>
    state.level !== 'silent' && LEVELS.indexOf(of) >= LEVELS.indexOf(state.level);
  const loggerWith = (bound: Readonly<Record<string, unknown>>): Logger => {
    const method = (of: LogLevel): LogMethod => {
      return (fields: object | string, message?: unknown): void => {
        if (!logs(of)) return;
        const own = typeof fields === 'string' ? {} : isNativeError(fields) ? { err: fields } : fields;
        const text = typeof fields === 'string' ? fields : typeof message === 'string' ? message : '';
        for (const line of linesOf(of, text, { ...bound, ...own }, paint)) write(line);
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

/** Derives a logger for a part whose messages at level INFO repeat what `dev` itself prints. */
export function withQuietInfo(logger: Logger): Logger {
  const child = (fields: Record<string, unknown>): Logger => withQuietInfo(logger.child(fields));
  return Object.create(logger, { info: { value: logger.debug }, child: { value: child } }) as Logger;
}

function linesOf(
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
  paint: Painter,
): string[] {
  const shown = Object.entries(fields)
    .filter(([name, value]) => !LEFT_OUT.has(name) && value !== undefined)
    .map(([name, value]) => `${name}: ${describe(value)}`);
  const details = shown.length === 0 ? '' : paint('gray', ` (${shown.join(', ')})`);
  const { err } = fields as { err?: { message?: unknown; stack?: unknown } };
  const line = `${paint(COLOURS[level], level)} ${message}${details}`;
  return err === undefined ? [line] : [line, ...errorLines(err, paint)];
}

/** The stack of an error, and the code at its first place in the user's code. */
function errorLines({ message, stack }: { message?: unknown; stack?: unknown }, paint: Painter): string[] {
  const text = typeof stack === 'string' ? stack : describe(message);
  const place = typeof stack === 'string' ? placeOf(stack) : undefined;
  const lines = text.split('\n');
  const firstFrame = lines.findIndex((line) => /^\s+at /.test(line));
  const end = firstFrame < 0 ? lines.length : firstFrame + MAX_FRAMES;
  const frame = place === undefined ? [] : codeFrame(place, paint);
  return [...lines.slice(0, end).map((line) => `  ${line}`), ...frame.map((line) => `  ${line}`)];
}
