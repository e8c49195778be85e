/**
 * Settings of a command: the sources of their values, and their validation. This module does not
 * read argv, environment or files itself; callers pass them in.
 *
 * Flags take precedence over the environment, the environment over the configuration file, and the
 * file over the defaults.
 */
import path from 'node:path';
import type Joi from 'joi';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { stringifyExact } from '../../core/json/exact-json.ts';
import { suggestion } from '../../core/messages/suggestion.ts';
import { UsageError } from './errors.ts';
import type { ValueType } from './value-types.ts';

const joi = lazyPackage<typeof Joi>('joi');

/**
 * Headings of option groups in the help of commands with many options, in the order of the help.
 */
export const OPTION_GROUPS = [
  'Options',
  'HTTP',
  'OpenAPI documents',
  'Workers',
  'Development',
  'Routing',
  'Limits',
  'Heartbeats',
  'Python nodes',
  'Security',
  'Administration',
  'Logging',
] as const;

export type OptionGroup = (typeof OPTION_GROUPS)[number];

/** Maximum number of options that a command shows under a single heading. */
const MAX_UNGROUPED = 15;

/** A setting. */
export interface Setting<T> {
  readonly kind: ValueType<unknown>;
  readonly description: string;
  /** Heading of the option if the command has many. The most common options use `Options`. */
  readonly group: OptionGroup;
  readonly default: T;
  /** Whether a value must be given. The default is ignored then. */
  readonly required: boolean;
  /** Whether the value is given as an argument instead of a flag. */
  readonly positional: boolean;
  /**
   * Whether the setting is a secret. A secret is only read from the environment, which other users
   * cannot see, and is never printed.
   */
  readonly environmentOnly: boolean;
  /**
   * Environment variable, if the name of the setting means something else in another command.
   * Undefined: made of the name.
   */
  readonly variable: string | undefined;
  /** Description of the default in `--help`, if the value itself is not clear enough. */
  readonly defaultNote: string | undefined;
}

/** The validated values of settings. */
export type ValuesOf<S> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

interface SettingOptions {
  description: string;
  /** @defaultValue `'Options'` */
  group?: OptionGroup;
  positional?: boolean;
  environmentOnly?: boolean;
  variable?: string;
  defaultNote?: string;
}

function make<T>(
  kind: ValueType<unknown>,
  options: SettingOptions,
  byDefault: T,
  isRequired: boolean,
): Setting<T> {
  const {
    description,
    group = 'Options',
    positional = false,
    environmentOnly = false,
    variable,
    defaultNote,
  } = options;
  return {
    kind,
    description,
    group,
    default: byDefault,
    required: isRequired,
    positional,
    environmentOnly,
    variable,
    defaultNote,
  };
}

/** Defines a setting with a default. */
export function setting<T>(
  kind: ValueType<T>,
  options: SettingOptions & { default: NoInfer<T> },
): Setting<T> {
  return make(kind, options, options.default, false);
}

/** Defines an optional setting without a default. */
export function optional<T>(kind: ValueType<T>, options: SettingOptions): Setting<T | undefined> {
  return make<T | undefined>(kind, options, undefined, false);
}

/** Defines a required setting. */
export function required<T>(kind: ValueType<T>, options: SettingOptions): Setting<T> {
  return make(kind, options, undefined as T, true);
}

/** Returns the settings of a command that have a flag, grouped by heading. */
export function inGroups(
  settings: Readonly<Record<string, Setting<unknown>>>,
): { readonly heading: OptionGroup; readonly settings: readonly (readonly [string, Setting<unknown>])[] }[] {
  const flags = Object.entries(settings).filter(([, each]) => !each.positional && !each.environmentOnly);
  const groupOf = ({ group }: Setting<unknown>): OptionGroup =>
    flags.length > MAX_UNGROUPED ? group : 'Options';
  return OPTION_GROUPS.map((heading) => ({
    heading,
    settings: flags.filter(([, each]) => groupOf(each) === heading),
  })).filter((group) => group.settings.length > 0);
}

/** Returns the flag of a setting: `--classic-router` for `classicRouter`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Returns the name of a positional setting in messages: `EVENT-DATA` for `eventData`. */
export function argumentOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
}

/**
 * Returns the environment variable of a setting: `ZMQ_GATEWAY_CLASSIC_ROUTER` for `classicRouter`.
 *
 * @param setting the setting, if it may have a variable of its own.
 */
export function variableOf(name: string, setting?: Pick<Setting<unknown>, 'variable'>): string {
  if (setting?.variable !== undefined) return setting.variable;
  return `ZMQ_GATEWAY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Contents of a configuration file. */
export interface FileValues {
  /** Path as given by the user, for messages. */
  readonly file: string;
  /** Folder against which paths in the file are resolved. */
  readonly folder: string;
  /** Sections by command, not yet validated. */
  readonly sections: unknown;
}

/** The sources of values. */
export interface Sources {
  /** Flags and arguments by setting name, as read by Commander. A missing entry was not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: FileValues | undefined;
  readonly cwd: string;
}

interface Found {
  readonly value: unknown;
  /** Source of the value, for error messages. */
  readonly origin: string;
}

/**
 * Returns the values of a command's settings.
 *
 * @throws {UsageError} when values are invalid or missing; it has a line for each with the
 * setting's name, the source, the value and what is allowed.
 */
export function resolveSettings<S extends Record<keyof S, Setting<unknown>>>(
  command: string,
  settings: S,
  sources: Sources,
): ValuesOf<S> {
  const errors: string[] = [];
  const section = sectionOf(command, settings, sources.file, errors);
  errors.push(...ambiguousVariables(settings, sources.env));
  const found = new Map<string, Found>();
  for (const name of Object.keys(settings)) {
    const first = find(command, name, settings[name as keyof S], sources, section);
    if (first !== undefined) found.set(name, first);
  }
  const values = check(command, settings, found, errors);
  if (errors.length > 0) throw new UsageError(errors);
  return values as ValuesOf<S>;
}

/**
 * Returns the value from the first source that has one. An empty variable counts as unset, because
 * shells and Compose files often define unset variables as empty.
 */
function find(
  command: string,
  name: string,
  setting: Setting<unknown>,
  { flags, env, file, cwd }: Sources,
  section: Readonly<Record<string, unknown>>,
): Found | undefined {
  const { kind, positional, environmentOnly } = setting;
  const from = (folder: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown) => from(folder, item));
    const isPath =
      kind.isPath && typeof value === 'string' && value !== '' && kind.isLiteral?.(value) !== true;
    if (!isPath) return value;
    return kind.resolvePath?.(value, folder) ?? path.resolve(folder, value);
  };
  if (flags[name] !== undefined) {
    const origin = positional ? `the argument ${argumentOf(name)}` : flagOf(name);
    return { value: from(cwd, flags[name]), origin };
  }
  const variable = variableOf(name, setting);
  const text = env[variable];
  if (text) return { value: from(cwd, kind.isList ? text.split(',') : text), origin: variable };
  if (section[name] !== undefined && file !== undefined && !environmentOnly) {
    return { value: from(file.folder, section[name]), origin: `${command}.${name} in ${file.file}` };
  }
  return undefined;
}

/** Variables that would mean something else in another command; they are not read. */
function ambiguousVariables(
  settings: Readonly<Record<string, Setting<unknown>>>,
  env: Sources['env'],
): string[] {
  return Object.entries(settings).flatMap(([name, setting]) => {
    const [read, ambiguous] = [variableOf(name, setting), variableOf(name)];
    if (read === ambiguous || !env[ambiguous] || env[read]) return [];
    return `${ambiguous} is not read, because it would have several meanings: set ${read}, or unset ${ambiguous}`;
  });
}

function check(
  command: string,
  settings: Readonly<Record<string, Setting<unknown>>>,
  found: ReadonlyMap<string, Found>,
  errors: string[],
): Record<string, unknown> {
  const keys = Object.entries(settings).map(([name, { kind }]) => [name, kind.schema()] as const);
  const schema = joi().object(Object.fromEntries(keys));
  const given = Object.fromEntries([...found].map(([name, { value }]) => [name, value]));
  const result = schema.validate(given, { abortEarly: false });
  for (const {
    path: [first, ...rest],
    context,
  } of result.error?.details ?? []) {
    const name = String(first);
    const value: unknown = rest.length > 0 ? (context?.value as unknown) : given[name];
    const error = invalidValue(name, settings[name], value, found.get(name)?.origin);
    if (!errors.includes(error)) errors.push(error);
  }
  const checked = (result.value ?? {}) as Record<string, unknown>;
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const { kind, default: byDefault, required: isRequired, positional } = setting;
    values[name] = found.has(name) ? checked[name] : byDefault;
    if (isRequired && !found.has(name)) {
      const ways = [positional ? argumentOf(name) : flagOf(name), variableOf(name, setting)].join(', ');
      errors.push(
        `${name} is missing: set ${ways}, or ${command}.${name} in the configuration file; allowed: ${kind.allowed}`,
      );
    }
  }
  return values;
}

function invalidValue(
  name: string,
  setting: Setting<unknown> | undefined,
  value: unknown,
  origin: string | undefined,
): string {
  const shown = setting?.environmentOnly
    ? 'the value'
    : value === undefined
      ? 'undefined'
      : stringifyExact(value);
  const { allowed, choices } = setting?.kind ?? {};
  const hint = choices === undefined || typeof value !== 'string' ? '' : suggestion(value, choices);
  return `${name}: ${shown} (from ${origin}) is invalid; allowed: ${allowed}${hint}`;
}

/**
 * Returns the file's section for a command. Entries that are not allowed in it are added to
 * `errors`.
 */
function sectionOf(
  command: string,
  settings: Readonly<Record<string, Setting<unknown>>>,
  file: FileValues | undefined,
  errors: string[],
): Readonly<Record<string, unknown>> {
  const section = isRecord(file?.sections) ? file.sections[command] : undefined;
  if (file === undefined || section === undefined || section === null) return {};
  if (!isRecord(section)) {
    errors.push(
      `${command} in ${file.file}: ${JSON.stringify(section)} is invalid; allowed: settings by name, such as ` +
        `${Object.keys(settings)[0]}: …`,
    );
    return {};
  }
  const names = Object.keys(settings).filter((name) => settings[name]?.environmentOnly === false);
  for (const name of Object.keys(section)) {
    if (names.includes(name)) continue;
    const value =
      settings[name] === undefined
        ? JSON.stringify(section[name])
        : 'a secret, which only the environment may contain';
    errors.push(
      `${command}.${name} in ${file.file}: no such setting (its value is ${value})${suggestion(name, names)}; ` +
        `allowed: ${names.join(', ')}`,
    );
  }
  return section;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
