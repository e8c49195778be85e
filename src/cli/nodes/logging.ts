/** The log of a command: on standard error, and in files if a folder is configured. */
import {
  type ConsoleLogging,
  consoleLogging,
  type LogLevel,
  setupLogging,
} from '../../core/logging/logging.ts';
import { withQuietFacts } from '../../core/observability/node-facts.ts';
import type { Resources } from './serve.ts';

/** Settings of a command's log; see `NODE_SETTINGS`. */
export interface LogSettings {
  readonly logLevel: LogLevel | 'silent';
  readonly logFolder: string | undefined;
}

/** Signal that switches the log level to `debug` and back. */
const SIGNAL = 'SIGUSR2';

/**
 * Opens the log. Open it first: it then closes last, and everything else can log until then.
 * Lifecycle messages of nodes are logged at level DEBUG, because the ready line of the command has
 * the essential facts.
 *
 * @param changed called with each new level of the console.
 * @param start opens the log itself.
 */
export function openLog(
  settings: LogSettings,
  resources: Resources,
  changed: (level: LogLevel | 'silent') => void = () => undefined,
  start: (settings: LogSettings, resources: Resources) => ConsoleLogging = startLog,
): ConsoleLogging {
  const { logLevel } = settings;
  const logging = start(settings, resources);
  const log: ConsoleLogging = {
    logger: withQuietFacts(logging.logger),
    get consoleLevel() {
      return logging.consoleLevel;
    },
    set consoleLevel(level) {
      logging.consoleLevel = level;
      changed(level);
    },
  };
  const onSignal = (): void => {
    const { consoleLevel: before } = log;
    log.consoleLevel = before === 'debug' ? logLevel : 'debug';
    logging.logger.warn({ before, level: log.consoleLevel }, 'changed the log level');
  };
  // Windows does not support this signal.
  if (process.platform !== 'win32') {
    process.on(SIGNAL, onSignal);
    resources.add(() => process.off(SIGNAL, onSignal));
  }
  return log;
}

function startLog({ logLevel, logFolder }: LogSettings, resources: Resources): ConsoleLogging {
  if (logFolder === undefined) return consoleLogging(logLevel);
  const logging = setupLogging(logFolder, { consoleLevel: logLevel, console: 'stderr' });
  resources.add(() => logging.close());
  return logging;
}
