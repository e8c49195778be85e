/**
 * settings: flags, environment variables and the configuration file of a command, with types,
 * defaults and errors.
 *
 * Definition of a command: its settings, and the function that runs with their values.
 */

import { httpUrl, zoneName } from './node-types.ts';
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
  /**
   * Aborted when standard output accepts nothing more: its reader is gone, or the disk is full.
   *
   * @defaultValue never
   */
  readonly outputClosed?: AbortSignal;
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
  /** Width of standard output if it is a terminal, in columns. */
  readonly columns?: () => number | undefined;
  /** The settings of the command that runs, to be read again. */
  readonly source?: SettingsSource;
}

/** The values of a command's settings, and where they come from. */
export interface SettingsSource {
  /** The values in use. */
  current: Readonly<Record<string, unknown>>;
  /** The configuration file, if there is one. */
  readonly file: string | undefined;
  /** Reads the values again. @throws {UsageError} when they are not valid. */
  read(): Readonly<Record<string, unknown>>;
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

/** Settings of nodes that have a zone. */
export const ZONE_SETTINGS = {
  zone: optional(zoneName, {
    description:
      'Zone of this node, such as a data centre; nodes of the same zone are preferred (docs/multiple-routers.md)',
    group: 'Routing',
    defaultNote: 'none',
  }),
};

/** Settings of every long-running command. */
export const NODE_SETTINGS = {
  drain: setting(milliseconds, {
    description: 'Time allowed for requests in flight when the command stops; the rest are aborted',
    default: 10_000,
  }),
  v8Tuning: setting(choice('MODE', 'on', 'off'), {
    description: 'Flags of V8 that make forwarding cheaper: on, or off for those of Node.js',
    default: 'on',
  }),
  logLevel: setting(choice('LEVEL', 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
    description: 'Lowest level logged to standard error: trace, debug, info, warn, error, fatal, silent',
    group: 'Logging',
    default: 'info',
  }),
  logFormat: setting(choice('FORMAT', 'auto', 'text', 'json'), {
    description: 'Format of the log on standard error: text for people, json, or auto',
    group: 'Logging',
    default: 'auto',
    defaultNote: 'auto: text on a terminal, else json',
  }),
  otlp: optional(httpUrl, {
    description:
      'URL of an OpenTelemetry collector (OTLP over HTTP) that receives traces and metrics; needs optional packages',
    group: 'Administration',
    defaultNote: 'no export',
  }),
  logFolder: optional(folderPath, {
    description: 'Folder for log files at level debug, rotated at 10 MB and kept for 7 days',
    group: 'Logging',
    defaultNote: 'no files',
  }),
};
