/** Sentences for what ajv found: what is wrong, and what would be right. */
import type { ErrorObject } from '../apidoc/index.ts';
import { at, escapeToken, type Json } from '../contract/json.ts';
import { typeOf } from './bind/shape.ts';
import type { Fault } from './problem.ts';

/** Longest value that is quoted in a sentence. */
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
    `must be ${article([type].flat() as string[])}${value === undefined ? '' : `, not ${article([typeOf(value)])}`}`,
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
  pattern: ({ pattern }) => `must match the pattern ${String(pattern)}`,
  format: ({ format }) => `must be a valid ${String(format)}`,
  required: () => 'is required',
  dependentRequired: ({ property, missingProperty }) =>
    `must have ${quote(missingProperty)} beside ${quote(property)}`,
  additionalProperties: () => 'is not known here',
  unevaluatedProperties: () => 'is not known here',
  uniqueItems: () => 'must not hold the same item twice',
  contains: () => 'lacks an item that it must hold',
  oneOf: ({ passingSchemas }) =>
    passingSchemas === null
      ? 'matches none of the forms allowed'
      : 'matches more than one of the forms allowed',
  anyOf: () => 'matches none of the forms allowed',
  not: () => 'has a form that is not allowed',
  'false schema': () => 'is not allowed',
};

/** Keywords whose error only repeats what those of their subschemas say. */
const SILENT: ReadonlySet<string> = new Set(['if']);

/**
 * One of ajv's errors as a fault; undefined when others say it already.
 * @param value the value that was validated.
 */
export function faultOf(error: ErrorObject, value: unknown, place: string): Fault | undefined {
  if (SILENT.has(error.keyword)) return undefined;
  const params = error.params as Params;
  const sentence =
    SENTENCES[error.keyword]?.(params, at(value as Json, error.instancePath)) ??
    error.message ??
    'is not valid';
  return { pointer: place + error.instancePath + memberPointer(error.keyword, params), detail: sentence };
}

/** Errors about a member of an object point at the member. */
function memberPointer(keyword: string, params: Params): string {
  const name =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : keyword === 'unevaluatedProperties'
          ? params['unevaluatedProperty']
          : undefined;
  return typeof name === 'string' ? `/${escapeToken(name)}` : '';
}

const ARTICLES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  string: 'a text',
  array: 'a list',
  object: 'an object',
};

function article(types: readonly string[]): string {
  return types.map((type) => ARTICLES[type] ?? type).join(' or ');
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
}

function quoteAll(values: readonly unknown[]): string {
  const shown = values.slice(0, 20).map(quote).join(', ');
  return values.length > 20 ? `${shown}, …` : shown;
}
