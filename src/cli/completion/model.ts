/** The model from which the completion scripts of all shells are generated. */
import type { Command } from '../settings/command.ts';
import { flagOf } from '../settings/settings.ts';
import type { ValueType } from '../settings/value-types.ts';

/** The values that a flag or argument accepts. */
export interface Completable {
  /** Placeholder of the value in the help. */
  readonly placeholder: string;
  /** All allowed values; undefined if any value is allowed. */
  readonly choices: readonly string[] | undefined;
  readonly path: 'file' | 'folder' | undefined;
}

/** A flag of a command. */
export interface CompletableFlag {
  /** The flag with its dashes. */
  readonly flag: string;
  readonly description: string;
  /** Undefined if the flag takes no value. */
  readonly value: Completable | undefined;
  readonly repeats: boolean;
}

/** A command with its flags and arguments. */
export interface CompletableCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletableFlag[];
  readonly positional: readonly (Completable & { readonly repeats: boolean })[];
}

function completable({ placeholder = '', choices, isPath }: ValueType<unknown>): Completable {
  return { placeholder, choices, path: isPath ? (placeholder === 'DIR' ? 'folder' : 'file') : undefined };
}

/** Flags that every command has. */
const COMMON: readonly CompletableFlag[] = [
  {
    flag: '--config',
    description: 'Configuration file',
    value: { placeholder: 'FILE', choices: undefined, path: 'file' },
    repeats: false,
  },
  { flag: '--help', description: 'Print help', value: undefined, repeats: false },
];

/** Returns the completion model of a command. */
export function completableOf({ name, settings }: Command, summary: string): CompletableCommand {
  const entries = Object.entries(settings);
  const flags = entries
    .filter(([, { positional, environmentOnly }]) => !positional && !environmentOnly)
    .map(([key, { kind, description }]) => ({
      flag: flagOf(key),
      description,
      value: kind.placeholder === undefined ? undefined : completable(kind),
      repeats: kind.isList ?? false,
    }));
  const positional = entries
    .filter(([, each]) => each.positional)
    .map(([, { kind }]) => ({ ...completable(kind), repeats: kind.isList ?? false }));
  return { name, summary, flags: [...flags, ...COMMON], positional };
}

/** Quotes any text as one word for a shell: `'it'\''s'`. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
