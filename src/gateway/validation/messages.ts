/**
 * validation: validators compiled from the served document, their messages, and the shapes of
 * values.
 *
 * Turns the errors of ajv into sentences: what is wrong, and what is valid.
 */

import { NUMERIC_PATTERN } from '../../contract/index.ts';
import { at, escapeToken, isObject, type Json, textOf } from '../../contract/json.ts';
import { stringifyExact } from '../../core/json/exact-json.ts';
import type { ErrorObject } from '../../openapi/index.ts';
import { typeOf } from './shape.ts';
import {
  type DescribedError,
  isUnmatchedUnion,
  notMessage,
  severalMatches,
  summariseUnion,
} from './union-messages.ts';

/** Maximum number of errors that are described. A large body can cause very many. */
const MAX_ERRORS = 2000;

/** Maximum length of a quoted value, in characters. */
const MAX_QUOTE = 60;

type Params = Readonly<Record<string, unknown>>;
type Sentence = (params: Params, value: Json | undefined) => string;

const LIMITS: Readonly<Record<string, string>> = {
  '<=': 'at most',
  '<': 'less than',
  '>=': 'at least',
  '>': 'greater than',
};

const plural = (count: unknown, word: string): string => `${String(count)} ${word}${count === 1 ? '' : 's'}`;
const limit: Sentence = ({ comparison, limit: bound }) =>
  `must be ${LIMITS[String(comparison)]} ${String(bound)}`;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  type: ({ type }, value) =>
    `must be ${typeNames([type].flat() as string[])}${value === undefined ? '' : `, not ${typeNames([typeOf(value)])}`}`,
  enum: ({ allowedValues }) => `must be one of ${quoteAll(allowedValues as unknown[])}`,
  const: ({ allowedValue }) => `must be ${quote(allowedValue)}`,
  minLength: ({ limit: bound }) => `must have at least ${plural(bound, 'character')}`,
  maxLength: ({ limit: bound }) => `must have at most ${plural(bound, 'character')}`,
  minItems: ({ limit: bound }) => `must have at least ${plural(bound, 'item')}`,
  maxItems: ({ limit: bound }) => `must have at most ${plural(bound, 'item')}`,
  minProperties: ({ limit: bound }) => `must have at least ${plural(bound, 'member')}`,
  maxProperties: ({ limit: bound }) => `must have at most ${plural(bound, 'member')}`,
  minimum: limit,
  maximum: limit,
  exclusiveMinimum: limit,
  exclusiveMaximum: limit,
  formatMinimum: limit,
  formatMaximum: limit,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${String(multipleOf)}`,
  pattern: ({ pattern }) =>
    pattern === NUMERIC_PATTERN ? 'must be a number' : `must match the pattern ${String(pattern)}`,
  format: ({ format }) => `must be a valid ${String(format)}`,
  'x-iso-date': () => 'must be an ISO 8601 date, such as 2026-01-31T12:00:00Z',
  required: () => 'is required',
  dependentRequired: ({ property, missingProperty }) =>
    `must have ${quote(missingProperty)} together with ${quote(property)}`,
  additionalProperties: () => 'is not a known property',
  unevaluatedProperties: () => 'is not a known property',
  uniqueItems: () => 'must not contain the same item twice',
  contains: () => 'lacks a required item',
  oneOf: () => 'matches none of the allowed schemas',
  anyOf: () => 'matches none of the allowed schemas',
  'false schema': () => 'is not allowed',
};

/** Keywords whose errors repeat those of their subschemas. */
const REDUNDANT: ReadonlySet<string> = new Set(['if']);

/**
 * Describes errors of ajv, with one sentence for each problem.
 * @param value the validated value.
 * @param place prefix of all pointers.
 */
export function describeErrors(
  errors: readonly ErrorObject[],
  value: unknown,
  location: string,
): DescribedError[] {
  const described: DescribedError[] = [];
  for (const error of errors.slice(0, MAX_ERRORS)) {
    if (REDUNDANT.has(error.keyword)) continue;
    const joined = isUnmatchedUnion(error) ? summariseUnion(error, described) : undefined;
    if (joined !== undefined) described.splice(described.length - joined.count, joined.count);
    const detail = joined?.detail ?? sentenceOf(error, at(value as Json, error.instancePath));
    const member = memberOf(error);
    const pointer = location + error.instancePath + (member === undefined ? '' : `/${escapeToken(member)}`);
    const own =
      error.keyword === 'required'
        ? `must have ${member}`
        : member === undefined
          ? detail
          : `${member} ${detail}`;
    described.push({ pointer, detail, ownDetail: own, error });
  }
  return described;
}

function sentenceOf(error: ErrorObject, value: Json | undefined): string {
  const { keyword, params, message } = error;
  if (keyword === 'oneOf' && !isUnmatchedUnion(error)) return severalMatches(error);
  if (keyword === 'not') return notMessage(error);
  const sentence = SENTENCES[keyword]?.(params as Params, value) ?? message ?? 'is not valid';
  return keyword === 'pattern' ? sentence + descriptionOf(error) : sentence;
}

/** The description of the value in the document, for sentences that are too technical alone. */
function descriptionOf({ parentSchema }: ErrorObject): string {
  const schema = parentSchema as Json | undefined;
  const text = isObject(schema) ? textOf(schema, 'description') : undefined;
  if (text === undefined || text === '') return '';
  return ` (${text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text})`;
}

/** The member that an error of an object refers to. */
function memberOf({ keyword, params }: ErrorObject): string | undefined {
  const name: unknown =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : keyword === 'unevaluatedProperties'
          ? params['unevaluatedProperty']
          : undefined;
  return typeof name === 'string' ? name : undefined;
}

const ARTICLES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  string: 'a string',
  array: 'an array',
  object: 'an object',
};

function typeNames(types: readonly string[]): string {
  return types.map((type) => ARTICLES[type] ?? type).join(' or ');
}

function quote(value: unknown): string {
  const text = stringifyExact(value);
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
}

function quoteAll(values: readonly unknown[]): string {
  const shown = values.slice(0, 20).map(quote).join(', ');
  return values.length > 20 ? `${shown}, …` : shown;
}
