/** The log of a command: on standard error, and in files if a folder is configured. */
import {
  type ConsoleLogging,
  consoleLogging,
  type LogLevel,
  setupLogging,
} from '../../core/logging/logging.ts';
import { withQuietFacts } from '../../core/observability/node-facts.ts';
import type { CommandContext } from '../settings/command.ts';
import { painter } from '../terminal/colours.ts';
import { terminalLog } from '../terminal/terminal-log.ts';
import type { Resources } from './serve.ts';

/** Settings of a command's log; see `NODE_SETTINGS`. */
export interface LogSettings {
  readonly logLevel: LogLevel | 'silent';
  readonly logFolder: string | undefined;
  readonly logFormat: 'auto' | 'text' | 'json';
}

/** Signal that switches the log level to `debug` and back. */
const SIGNAL = 'SIGUSR2';

/** Options of {@link openLog}. */
export interface OpenLogOptions {
  /** Called with each new level of the console. */
  readonly changed?: (level: LogLevel | 'silent') => void;
  /** Format of `auto` when standard error is not a terminal. Default: `json`. */
  readonly elsewhere?: 'text' | 'json';
  /** Whether a saved configuration file applies at once. Default: true. */
  readonly followsFile?: boolean;
  /** Returns lines about the place of an error, for the text format. Default: none. */
  readonly frameOf?: (stack: string) => readonly string[];
}

/** The log of a command. */
export interface CommandLog extends ConsoleLogging {
  /** Whether its lines are text for people rather than JSON. */
  readonly isText: boolean;
}

/**
 * Opens the log. Open it first: it then closes last, and everything else can log until then.
 * Lifecycle messages of nodes are logged at level DEBUG, because the ready line of the command has
 * the essential facts.
 */
export function openLog(
  settings: LogSettings,
  resources: Resources,
  context: CommandContext,
  options: OpenLogOptions = {},
): CommandLog {
  let { logLevel } = settings;
  const { elsewhere = 'json', changed } = options;
  const isText =
    (settings.logFormat === 'auto' ? formatOf(context, elsewhere) : settings.logFormat) === 'text';
  const logging = startLog(settings, resources, context, isText, options);
  const log: CommandLog = {
    isText,
    logger: withQuietFacts(logging.logger),
    get consoleLevel() {
      return logging.consoleLevel;
    },
    set consoleLevel(level) {
      logging.consoleLevel = level;
      changed?.(level);
    },
  };
  const onSignal = (): void => {
    const { consoleLevel: before } = log;
    log.consoleLevel = before === 'debug' ? logLevel : 'debug';
    logging.logger.warn({ before, level: log.consoleLevel }, 'changed the log level');
  };
  resources.reloads.add<LogSettings>({
    names: ['logLevel'],
    prepare:
      ({ logLevel: level }) =>
      () => {
        if (level !== logLevel) log.consoleLevel = level;
        logLevel = level;
      },
  });
  resources.reloads.start(log.logger, options.followsFile);
  // Windows does not support this signal.
  if (process.platform !== 'win32') {
    process.on(SIGNAL, onSignal);
    resources.add(() => process.off(SIGNAL, onSignal));
  }
  return log;
}

function formatOf({ terminal }: CommandContext, elsewhere: 'text' | 'json'): 'text' | 'json' {
  return terminal === undefined ? elsewhere : 'text';
}

function startLog(
  { logLevel: level, logFolder }: LogSettings,
  resources: Resources,
  context: CommandContext,
  isText: boolean,
  { frameOf }: OpenLogOptions,
): ConsoleLogging {
  if (logFolder !== undefined) {
    const logging = setupLogging(logFolder, { consoleLevel: level, console: 'stderr', pretty: isText });
    resources.add(() => logging.close());
    return logging;
  }
  if (!isText) return consoleLogging(level, 'stderr', false);
  const paint = painter(context.colours?.err);
  return terminalLog({ write: (line) => context.err(line), paint, level, frameOf });
}
