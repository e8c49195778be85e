/**
 * Keywords that compare numbers digit by digit. ajv works with doubles, so a value with exact
 * numbers is validated as a copy that has a double in place of each. The keywords look up the exact
 * number by the object or array that contains the double.
 */
import { _, type AnySchema, type FuncKeywordDefinition, type ValidateFunction } from 'ajv/dist/2020.js';
import type { DataValidationCxt } from 'ajv/dist/types/index.js';
import { canonical, type Json, type JsonObject } from '../../contract/json.ts';
import { compareDecimals, type Decimal, isMultiple, standIn } from '../../core/json/decimal.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';

/**
 * Exact numbers, by the object or array of the copy that contains their doubles, and by their
 * position in it.
 */
const EXACT = new WeakMap<object, Map<string, ExactNumber>>();

/** Validates a value that may contain exact numbers, with a validator from `createExactAjv`. */
export function validateExactly(validate: ValidateFunction, value: Json): boolean {
  // The keywords find exact numbers by their container, so the value itself needs one too.
  const holder: JsonObject = { value: null };
  holder['value'] = doubles(value, holder, 'value');
  return validate(holder['value'], {
    instancePath: '',
    parentData: holder,
    parentDataProperty: 'value',
    rootData: holder['value'] as never,
    dynamicAnchors: {},
  });
}

/** Copies a value, with a double in place of each exact number. */
function doubles(value: Json, holder: object, location: string): Json {
  if (value instanceof ExactNumber) {
    const numbers = EXACT.get(holder) ?? new Map<string, ExactNumber>();
    EXACT.set(holder, numbers.set(location, value));
    return standIn(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const list: Json[] = [];
    for (const [index, item] of value.entries()) list.push(doubles(item, list, String(index)));
    return list;
  }
  const object = Object.create(null) as JsonObject;
  for (const [name, item] of Object.entries(value)) object[name] = doubles(item, object, name);
  return object;
}

/** Returns the exact number at a location of the copy, or the double if there is none. */
function exactOf(value: number, { parentData, parentDataProperty }: DataValidationCxt): Decimal {
  return exactIn(parentData, String(parentDataProperty)) ?? value;
}

function exactIn(holder: object | undefined, location: string): ExactNumber | undefined {
  return holder === undefined ? undefined : EXACT.get(holder)?.get(location);
}

/** Returns the original of a part of the copy. */
function original(value: Json, holder: object | undefined, location: string): Json {
  if (typeof value === 'number') return exactIn(holder, location) ?? value;
  if (Array.isArray(value)) return value.map((item, index) => original(item, value, String(index)));
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, original(item, value, name)]));
}

type ValueCheck = (value: Json, context: DataValidationCxt) => boolean;

/**
 * Returns the definitions of the keywords of JSON Schema that compare numbers (2020-12, Validation,
 * 6.1, 6.2 and 6.4.3).
 */
export function exactKeywords(): FuncKeywordDefinition[] {
  return [
    bound('minimum', '>=', (order) => order >= 0),
    bound('maximum', '<=', (order) => order <= 0),
    bound('exclusiveMinimum', '>', (order) => order > 0),
    bound('exclusiveMaximum', '<', (order) => order < 0),
    {
      keyword: 'multipleOf',
      type: 'number',
      error: { message: 'must be a multiple', params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}` },
      compile: withContext(
        (of: Decimal) => (value, context) => isMultiple(exactOf(value as number, context), of),
      ),
    },
    {
      keyword: 'const',
      error: {
        message: 'must be the constant',
        params: ({ schemaCode }) => _`{allowedValue: ${schemaCode}}`,
      },
      compile: withContext((allowed: Json) => isOneOf([allowed])),
    },
    {
      keyword: 'enum',
      error: { message: 'must be one of', params: ({ schemaCode }) => _`{allowedValues: ${schemaCode}}` },
      compile: withContext(isOneOf),
    },
    {
      keyword: 'uniqueItems',
      type: 'array',
      error: { message: 'must not have two items that are the same' },
      compile: withContext((unique: boolean) => (items) => {
        const list = original(items, undefined, '') as Json[];
        return !unique || new Set(list.map(canonical)).size === list.length;
      }),
    },
  ];
}

function bound(
  keyword: string,
  comparison: string,
  holds: (order: number) => boolean,
): FuncKeywordDefinition {
  return {
    keyword,
    type: 'number',
    error: {
      message: `must be ${comparison} the limit`,
      params: ({ schemaCode }) => _`{comparison: ${comparison}, limit: ${schemaCode}}`,
    },
    compile: withContext(
      (limit: Decimal) => (value, context) =>
        holds(compareDecimals(exactOf(value as number, context), limit)),
    ),
  };
}

function isOneOf(allowed: Json[]): ValueCheck {
  const texts = new Set(allowed.map(canonical));
  return (value, { parentData, parentDataProperty }) =>
    texts.has(canonical(original(value, parentData, String(parentDataProperty))));
}

/**
 * Wraps a check of one value as ajv requires it: ajv passes the location of the value as the second
 * argument.
 */
function withContext<Schema>(make: (schema: Schema) => ValueCheck): FuncKeywordDefinition['compile'] {
  return (schema: AnySchema) => {
    const check = make(schema as Schema);
    return (value: Json, context?: DataValidationCxt) => check(value, context ?? ROOT);
  };
}

/** The location of a value that has no container. */
const ROOT: DataValidationCxt = {
  instancePath: '',
  parentData: {},
  parentDataProperty: '',
  rootData: {},
  dynamicAnchors: {},
};
