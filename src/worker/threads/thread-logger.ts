/** A logger in a worker thread; the logger of the parent writes its entries. */
import { isNativeError } from 'node:util/types';
import type { Logger, LogLevel, LogMethod } from '../../core/logging/logging.ts';
import { describe, toError } from '../../core/messages/thrown.ts';
import type { LogMessage } from './thread-messages.ts';

/**
 * Creates a logger whose entries go to the parent thread. Errors among the fields travel as text.
 */
export function threadLogger(
  post: (message: LogMessage) => void,
  bound: Record<string, unknown> = {},
): Logger {
  const method = (level: LogLevel): LogMethod => {
    return (fields: object | string, message?: unknown): void => {
      const own = typeof fields === 'string' ? {} : isNativeError(fields) ? { err: fields } : fields;
      const text = typeof fields === 'string' ? fields : typeof message === 'string' ? message : '';
      post({ type: 'log', level, fields: cloneable({ ...bound, ...own }), message: text });
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
    child: (fields) => threadLogger(post, { ...bound, ...fields }),
  };
}

/**
 * Returns a copy of the fields that can be posted to another thread. Logging must not throw,
 * whatever the fields hold.
 */
function cloneable(fields: object): object {
  try {
    return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
  } catch (error) {
    return { unreadableFields: toError(error).message };
  }
}

function plain(value: unknown): unknown {
  if (isNativeError(value)) {
    const { name, message, stack } = toError(value);
    return { type: name, message, stack };
  }
  try {
    return structuredClone(value);
  } catch {
    return describe(value);
  }
}
