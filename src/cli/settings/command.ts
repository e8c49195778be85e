/** What a command is: its settings, and what it does with their values. */

import { optional, type Setting, setting, type ValuesOf } from './settings.ts';
import { choice, folderToBe, milliseconds } from './value-types.ts';

/** The world as a command sees it. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a line to standard output: what the user asked for, and the ready line. */
  out(line: string): void;
  /** Writes a line to standard error. */
  err(line: string): void;
  /** Whether standard output and standard error show colours. Default: neither. */
  readonly colours?: { readonly out: boolean; readonly err: boolean };
  /** Standard input. Default: none. */
  readonly input?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Standard error, where it is a terminal: for what moves. */
  readonly terminal?: { write(text: string): void };
}

/** A command, its settings' types forgotten. */
export interface Command {
  readonly name: string;
  /** What it does, for its own help. */
  readonly description: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
  /** Command lines to copy, without `zeromq-gateway`. */
  readonly examples: readonly string[];
  /** Gives the exit code. */
  run(values: never, surroundings: Surroundings): Promise<number>;
}

interface CommandDefinition<S> extends Omit<Command, 'settings' | 'run'> {
  readonly settings: S;
  run(values: ValuesOf<S>, surroundings: Surroundings): Promise<number>;
}

/** A command whose `run` gets values of the types that its settings have. */
export function defineCommand<S extends Record<keyof S, Setting<unknown>>>(
  definition: CommandDefinition<S>,
): Command {
  return definition;
}

/** Settings of whatever connects to routers. */
export const DNS_SETTINGS = {
  dnsInterval: setting(milliseconds, {
    description: 'Interval between lookups of dns:// names',
    group: 'Routing',
    default: 5000,
  }),
};

/** Settings that every long-running command has. */
export const NODE_SETTINGS = {
  drain: setting(milliseconds, {
    description: 'Time allowed for requests in flight when the command stops; the rest are aborted',
    default: 10_000,
  }),
  logLevel: setting(choice('LEVEL', 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
    description: 'Lowest level logged to standard error: trace, debug, info, warn, error, fatal, silent',
    group: 'Logging',
    default: 'info',
  }),
  logFolder: optional(folderToBe, {
    description: 'Folder for log files at level debug, rotated at 10 MB and kept for 7 days',
    group: 'Logging',
    defaultNote: 'no files',
  }),
};
