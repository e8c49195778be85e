/** A logger in a worker thread; the parent's logger writes what it is told. */
import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';
import type { Logger, LogLevel, LogMethod } from '../core/logging.ts';
import type { LogMessage } from './thread-messages.ts';

/** A logger whose entries go to the parent thread. Errors among the fields travel as text. */
export function threadLogger(
  say: (message: LogMessage) => void,
  bound: Record<string, unknown> = {},
): Logger {
  const method = (level: LogLevel): LogMethod => {
    return (fields: object | string, message?: unknown): void => {
      const own = typeof fields === 'string' ? {} : isNativeError(fields) ? { err: fields } : fields;
      const text = typeof fields === 'string' ? fields : typeof message === 'string' ? message : '';
      say({ type: 'log', level, fields: cloneable({ ...bound, ...own }), message: text });
    };
  };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    isLevelEnabled: () => true,
    child: (fields) => threadLogger(say, { ...bound, ...fields }),
  };
}

/** Fields that can be posted to another thread, whatever they are: a log must not fail whoever logs. */
function cloneable(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (isNativeError(value)) return { type: value.name, message: value.message, stack: value.stack };
  try {
    return structuredClone(value);
  } catch {
    return inspect(value, { depth: 2 });
  }
}
