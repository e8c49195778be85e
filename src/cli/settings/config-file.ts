/** The configuration file: YAML or JSON, with one section per command. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type * as Yaml from 'yaml';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { parseExact } from '../../core/json/exact-json.ts';
import { toError } from '../../core/messages/errors.ts';
import { suggestion } from '../../core/messages/suggestion.ts';
import { numberTags, SpelledNumber, spelledIfLost } from '../../openapi/model/spelled-number.ts';
import { UsageError } from './errors.ts';
import type { FileValues } from './settings.ts';

const yaml = lazyPackage<typeof Yaml>('yaml');

/** File names looked up in the working folder. */
export const CONFIG_NAMES = ['zeromq-gateway.yaml', 'zeromq-gateway.yml', 'zeromq-gateway.json'] as const;

/**
 * Reads the configuration file: the given one, or the one in the working folder if it exists. A
 * number that a double cannot represent exactly becomes an `ExactNumber`.
 *
 * @param given path from `--config` or ZMQ_GATEWAY_CONFIG.
 * @param commands names of the sections that a file may have.
 * @throws {UsageError} when the file cannot be read or parsed, when it has an unknown section, or
 * when the working folder has more than one configuration file.
 */
export function readConfig(
  given: string | undefined,
  cwd: string,
  commands: readonly string[],
): FileValues | undefined {
  const file = given ?? findIn(cwd);
  if (file === undefined) return undefined;
  const full = path.resolve(cwd, file);
  let text: string;
  try {
    text = readFileSync(full, 'utf8');
  } catch (error) {
    throw new UsageError([`config: ${JSON.stringify(file)} cannot be read: ${toError(error).message}`]);
  }
  const sections = file.endsWith('.json') ? parseJson(file, text) : parseYaml(file, text);
  checkSections(file, sections, commands);
  return { file, folder: path.dirname(full), sections };
}

function findIn(cwd: string): string | undefined {
  const found = CONFIG_NAMES.filter((name) => existsSync(path.join(cwd, name)));
  if (found.length > 1) {
    throw new UsageError([
      `config: ${found.join(' and ')} are both in ${cwd}; remove one, or choose one with --config`,
    ]);
  }
  return found[0];
}

function parseJson(file: string, text: string): unknown {
  try {
    return parseExact(text);
  } catch (error) {
    throw new UsageError([`config: ${file} is not valid JSON: ${toError(error).message}`]);
  }
}

function parseYaml(file: string, text: string): unknown {
  const document = yaml().parseDocument(text, { prettyErrors: true, customTags: numberTags(spelledIfLost) });
  const error = document.errors[0];
  if (error !== undefined)
    throw new UsageError([`config: ${file} is not valid YAML: ${error.message.trim()}`]);
  // The YAML parser does not pass through values with `toJSON`, such as exact numbers.
  const exact = (_key: unknown, value: unknown): unknown =>
    value instanceof SpelledNumber ? value.number : value;
  try {
    return document.toJS({ maxAliasCount: 100, reviver: exact }) as unknown;
  } catch (error) {
    const reason =
      error instanceof RangeError ? 'an alias refers to a value that contains it' : toError(error).message;
    throw new UsageError([`config: ${file} cannot be used: ${reason}`]);
  }
}

function checkSections(file: string, sections: unknown, commands: readonly string[]): void {
  if (sections === null || sections === undefined) return;
  const allowed = `allowed: sections ${commands.join(', ')}, each with the settings of that command`;
  if (typeof sections !== 'object' || Array.isArray(sections)) {
    throw new UsageError([`config: ${file} contains ${JSON.stringify(sections).slice(0, 80)}; ${allowed}`]);
  }
  const unknown = Object.keys(sections).filter((name) => !commands.includes(name));
  if (unknown.length === 0) return;
  throw new UsageError(
    unknown.map((name) => `${name} in ${file}: no such section${suggestion(name, commands)}; ${allowed}`),
  );
}
