/** Levels of the log, and changing them while loggers are in use. */

/** Levels from the least to the most severe. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** What `--log-level` and its like take. */
export const LOG_SETTINGS = [...LEVELS, 'silent'] as const;

/** Whether a value is one of these. */
export function isLogSetting(value: unknown): value is (typeof LOG_SETTINGS)[number] {
  return (LOG_SETTINGS as readonly unknown[]).includes(value);
}

/** Pino's numbers for levels; `silent` lets nothing pass. */
const NUMBERS: Readonly<Record<LogLevel | 'silent', number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Infinity,
};

/** A logger whose level can be set. */
interface Leveled {
  level: string;
}

/** The level of a logger and of all that were made of it: pino's children keep the level they were made with. */
export class LevelSwitch {
  private loggers: WeakRef<Leveled>[] = [];
  /** How many there may be before those that are gone are looked for. */
  private room = 64;

  constructor(private current: LogLevel | 'silent') {}

  get level(): LogLevel | 'silent' {
    return this.current;
  }

  /** Takes a logger in. */
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

/** By this pino is asked to leave the level of each line in a stream's `lastLevel`. */
const METADATA: unique symbol = Symbol.for('pino.metadata');

/** Passes lines of a level and above on, as a stream of pino's. */
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
