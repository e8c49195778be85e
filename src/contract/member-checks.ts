/** Checks of the members of a definition: their names, and the types of their values. */
import { closestTo, suggestion } from '../core/messages/suggestion.ts';
import { describe } from '../core/messages/thrown.ts';
import { ContractError } from './errors.ts';

/** Returns what is wrong with a value, without its name; undefined if it is valid. */
export type Check = (value: unknown) => string | undefined;
export type Checks<Definition> = { readonly [Name in keyof Required<Definition>]: Check };

const is =
  (type: 'string' | 'boolean', article = 'a'): Check =>
  (value) =>
    typeof value === type ? undefined : `must be ${article} ${type}, got ${shown(value)}`;
export const text = is('string');
export const flag = is('boolean');
export const object: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : `must be an object, got ${shown(value)}`;
export const list: Check = (value) =>
  Array.isArray(value) ? undefined : `must be an array, got ${shown(value)}`;
export const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string)
      ? undefined
      : `must be ${allowed.slice(0, -1).join(', ')} or ${String(allowed.at(-1))}, got ${shown(value)}` +
        (typeof value === 'string' ? suggestion(value, allowed) : '');
/** Names of other frameworks and of OpenAPI for members, too different to be recognised as slips. */
const ALIASES: Readonly<Record<string, string>> = {
  reply: 'replies',
  verb: 'method',
  url: 'path',
  route: 'path',
  schema: 'data',
  body: 'data',
  params: 'data',
  query: 'data',
  input: 'data',
  output: 'replies',
  response: 'replies',
  responses: 'replies',
  actions: 'events',
  handlers: 'events',
};

/** Checks the members of an object; unknown ones are mistakes, which would have no effect. */
export function checkMembers<Definition extends object>(
  definition: Definition,
  checks: Checks<Definition>,
  where = '',
): void {
  const problems: ContractError[] = [];
  const known = new Map<string, Check>(Object.entries<Check>(checks));
  for (const [name, value] of Object.entries<unknown>(definition as Record<string, unknown>)) {
    const check = known.get(name);
    if (check === undefined) {
      problems.push(new ContractError(`${where}unknown member ${name}${hintFor(name, known)}`));
      continue;
    }
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) problems.push(new ContractError(`${where}${name} ${problem}`));
  }
  if (problems.length > 0) throw ContractError.of(problems);
}

function hintFor(name: string, known: ReadonlyMap<string, unknown>): string {
  const aliases = Object.keys(ALIASES).filter((alias) => known.has(ALIASES[alias] ?? ''));
  const closest = closestTo(name, [...known.keys(), ...aliases]);
  return closest === undefined ? '' : ` (did you mean ${ALIASES[closest] ?? closest}?)`;
}

export function shown(value: unknown): string {
  const written = typeof value === 'string' ? JSON.stringify(value) : describe(value).replaceAll(/\s+/g, ' ');
  return written.length > 60 ? `${written.slice(0, 60)}…` : written;
}
