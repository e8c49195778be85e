/** Log levels, and changing the level of existing loggers. */

/** Levels from the least to the most severe. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Values of `--log-level` and similar settings. */
export const LOG_SETTINGS = [...LEVELS, 'silent'] as const;

/** Whether a value is one of {@link LOG_SETTINGS}. */
export function isLogSetting(value: unknown): value is (typeof LOG_SETTINGS)[number] {
  return (LOG_SETTINGS as readonly unknown[]).includes(value);
}

/** Level numbers of pino; `silent` suppresses everything. */
const NUMBERS: Readonly<Record<LogLevel | 'silent', number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Infinity,
};

/** A logger with a settable level. */
interface Leveled {
  level: string;
}

/**
 * Sets the level of a logger and of all its children. Without it, pino's children keep the level
 * they were created with.
 */
export class LevelSwitch {
  private loggers: WeakRef<Leveled>[] = [];
  /** Number of loggers at which collected ones are removed from the list. */
  private room = 64;

  constructor(private current: LogLevel | 'silent') {}

  get level(): LogLevel | 'silent' {
    return this.current;
  }

  /** Adds a logger. */
  add(logger: Leveled): void {
    logger.level = this.current;
    this.loggers.push(new WeakRef(logger));
    if (this.loggers.length < this.room) return;
    this.loggers = this.loggers.filter((one) => one.deref() !== undefined);
    this.room = Math.max(64, this.loggers.length * 2);
  }

  set(level: LogLevel | 'silent'): void {
    this.current = level;
    for (const one of this.loggers) {
      const logger = one.deref();
      if (logger !== undefined) logger.level = level;
    }
  }
}

/** Makes pino store the level of each line in `lastLevel` of a stream. */
const METADATA: unique symbol = Symbol.for('pino.metadata');

/** A pino stream that passes on lines of a minimum level. */
export class LevelGate {
  readonly [METADATA] = true;
  lastLevel = 0;

  constructor(
    private readonly target: { write(line: string): void },
    public level: LogLevel | 'silent',
  ) {}

  write(line: string): void {
    if (this.lastLevel >= NUMBERS[this.level]) this.target.write(line);
  }
}
