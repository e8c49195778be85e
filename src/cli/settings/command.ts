/** Definition of a command: its settings, and the function that runs with their values. */

import { optional, type Setting, setting, type ValuesOf } from './settings.ts';
import { choice, folderPath, milliseconds } from './value-types.ts';

/** The environment in which a command runs. */
export interface CommandContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a line to standard output: the result of the command, or the ready line. */
  out(line: string): void;
  /**
   * Writes bytes to standard output, and resolves when it takes more.
   *
   * @defaultValue they are written as text with `out`
   */
  readonly write?: (bytes: Uint8Array) => Promise<void>;
  /** Writes a line to standard error. */
  err(line: string): void;
  /**
   * Whether standard output and standard error support colours.
   *
   * @defaultValue no colours
   */
  readonly colours?: { readonly out: boolean; readonly err: boolean };
  /**
   * Standard input.
   *
   * @defaultValue none
   */
  readonly input?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Standard error if it is a terminal, for progress indicators. */
  readonly terminal?: { write(text: string): void };
}

/** A command without the types of its settings. */
export interface Command {
  readonly name: string;
  /** Description of the command in its help. */
  readonly description: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
  /** Example command lines without `zeromq-gateway`. */
  readonly examples: readonly string[];
  /** Runs the command and resolves with the exit code. */
  run(values: never, context: CommandContext): Promise<number>;
}

interface CommandDefinition<S> extends Omit<Command, 'settings' | 'run'> {
  readonly settings: S;
  run(values: ValuesOf<S>, context: CommandContext): Promise<number>;
}

/** Defines a command. The type of the values passed to `run` follows from its settings. */
export function defineCommand<S extends Record<keyof S, Setting<unknown>>>(
  definition: CommandDefinition<S>,
): Command {
  return definition;
}

/** Settings of commands that connect to routers. */
export const DNS_SETTINGS = {
  dnsInterval: setting(milliseconds, {
    description: 'Interval between lookups of dns:// names',
    group: 'Routing',
    default: 5000,
  }),
};

/** Settings of every long-running command. */
export const NODE_SETTINGS = {
  drain: setting(milliseconds, {
    description: 'Time allowed for requests in flight when the command stops; the rest are aborted',
    default: 10_000,
  }),
  gcTuning: setting(choice('MODE', 'on', 'off'), {
    description: 'Flags of V8 that make forwarding cheaper: on, or off for those of Node.js',
    default: 'on',
  }),
  logLevel: setting(choice('LEVEL', 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
    description: 'Lowest level logged to standard error: trace, debug, info, warn, error, fatal, silent',
    group: 'Logging',
    default: 'info',
  }),
  logFolder: optional(folderPath, {
    description: 'Folder for log files at level debug, rotated at 10 MB and kept for 7 days',
    group: 'Logging',
    defaultNote: 'no files',
  }),
};
