/**
 * Converts the text of a parameter to a JSON value. The rules are strict: a text that is not
 * exactly a number, an integer or a boolean is rejected. Numbers keep all their digits.
 */
import { escapeToken, type Json } from '../../contract/json.ts';
import { exactNumber, MAX_NUMBER_LENGTH } from '../../core/json/exact-json.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Shape, TypeName } from '../validation/shape.ts';

/** Returned in place of a value after an issue was added. */
export const INVALID: unique symbol = Symbol('none');
export type Invalid = typeof INVALID;

/** The members of an object in a parameter: decoded names and texts. */
export class Members {
  readonly entries: (readonly [name: string, text: string])[] = [];
}

/** A parameter that is parsed by its style. Its values are still text. */
export type Structure = string | readonly string[] | Members;

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Converts a text to the first of the types that it matches; undefined if it matches none. */
function valueOf(text: string, types: ReadonlySet<TypeName>): Json | undefined {
  if (types.size === 0) return text;
  if (types.has('integer') && INTEGER.test(text) && text.length <= MAX_NUMBER_LENGTH)
    return exactNumber(text);
  if (types.has('number') && NUMBER.test(text) && text.length <= MAX_NUMBER_LENGTH) return exactNumber(text);
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.has('string')) return text;
  return types.has('null') && text === '' ? null : undefined;
}

const WORDS: Readonly<Record<TypeName, string>> = {
  null: 'empty',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  string: 'a string',
  array: 'an array',
  object: 'an object',
};

function describeExpected(types: ReadonlySet<TypeName>, text: string): string {
  const wanted = `must be ${[...types].map((type) => WORDS[type]).join(' or ')}`;
  const long = text.length > MAX_NUMBER_LENGTH && NUMBER.test(text);
  return long ? `${wanted} of at most ${MAX_NUMBER_LENGTH} characters` : wanted;
}

/** Converts one text. */
export function coerceText(
  text: string,
  shape: Shape,
  pointer: string,
  issues: RequestIssue[],
): Json | Invalid {
  const value = valueOf(text, shape.types);
  if (value !== undefined) return value;
  issues.push({ pointer, detail: describeExpected(shape.types, text) });
  return INVALID;
}

/** Converts a parameter that is parsed by its style. */
export function coerce(
  structure: Structure,
  shape: Shape,
  pointer: string,
  issues: RequestIssue[],
): Json | Invalid {
  if (typeof structure === 'string') return coerceText(structure, shape, pointer, issues);
  if (structure instanceof Members) return coerceMembers(structure, shape, pointer, issues);
  const before = issues.length;
  const list: Json[] = [];
  for (const [index, text] of structure.entries()) {
    const value = coerceText(text, shape.item(index), `${pointer}/${index}`, issues);
    if (value !== INVALID) list.push(value);
  }
  return issues.length === before ? list : INVALID;
}

function coerceMembers(
  members: Members,
  shape: Shape,
  pointer: string,
  issues: RequestIssue[],
): Json | Invalid {
  const before = issues.length;
  const object = emptyObject();
  for (const [name, text] of members.entries) {
    const location = `${pointer}/${escapeToken(name)}`;
    if (Object.hasOwn(object, name)) {
      issues.push({ pointer: location, detail: 'is given more than once' });
      continue;
    }
    const value = coerceText(text, shape.property(name), location, issues);
    if (value !== INVALID) object[name] = value;
  }
  return issues.length === before ? object : INVALID;
}

/** Creates an object without prototype, in which `__proto__` is an ordinary name. */
export function emptyObject(): Record<string, Json> {
  return Object.create(null) as Record<string, Json>;
}
