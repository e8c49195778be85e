/** The log of a command: on standard error, and in files where a folder is given. */
import { consoleLogger, type Logger, type LogLevel, setupLogging } from '../core/logging.ts';
import type { Opened } from './serve.ts';

/** Settings of a command's log; see `NODE_SETTINGS`. */
export interface LogSettings {
  readonly logLevel: LogLevel | 'silent';
  readonly logFolder: string | undefined;
}

/** Starts the log; it is closed last, so that everything else can still write to it. */
export function openLog({ logLevel, logFolder }: LogSettings, opened: Opened): Logger {
  if (logFolder === undefined) return consoleLogger(logLevel);
  const logging = setupLogging(logFolder, { consoleLevel: logLevel, console: 'stderr' });
  opened.add(() => logging.close());
  return logging.logger;
}
