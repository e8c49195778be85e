/**
 * Builders of JSON Schemas.
 */
import { canonical, isObject, type Json, type JsonObject } from '../json.ts';

/** Keywords that only annotate a value. */
const NOTES = new Set(['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly']);

/** Keywords whose meaning does not depend on their siblings. */
const ALONE = new Set([
  'type',
  'pattern',
  'format',
  'x-iso-date',
  'examples',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'anyOf',
  'not',
]);

/** A schema that rejects everything. */
export const NOTHING: Readonly<JsonObject> = Object.freeze({ not: {} });

/** Whether a schema accepts everything. */
export function passesAll(schema: JsonObject): boolean {
  return Object.keys(schema).every((keyword) => NOTES.has(keyword) || keyword.startsWith('x-'));
}

/** A schema that accepts what any of the schemas accepts. */
export function anyOf(schemas: readonly JsonObject[]): JsonObject {
  const flat = schemas.flatMap((schema) => {
    const { anyOf: inner, ...rest } = schema;
    return Array.isArray(inner) && Object.keys(rest).length === 0 ? (inner as JsonObject[]) : [schema];
  });
  const distinct = [...new Map(flat.map((schema) => [canonical(schema), schema])).values()];
  const possible = distinct.filter((schema) => canonical(schema) !== '{"not":{}}');
  if (possible.some(passesAll)) return {};
  const [first, ...others] = possible;
  if (first === undefined) return { ...NOTHING };
  return others.length === 0 ? first : { anyOf: possible };
}

/** A schema that accepts what all of the schemas accept. */
export function allOf(schemas: readonly JsonObject[]): JsonObject {
  const [first = {}, ...others] = schemas.filter((schema) => !passesAll(schema));
  if (others.length === 0) return first;
  const joined: JsonObject = {};
  const apart: JsonObject[] = [];
  for (const schema of [first, ...others]) {
    const alone = Object.keys(schema).every(
      (keyword) =>
        ALONE.has(keyword) &&
        (!Object.hasOwn(joined, keyword) ||
          canonical(joined[keyword] ?? null) === canonical(schema[keyword] ?? null)),
    );
    if (!alone) apart.push(schema);
    else Object.assign(joined, schema);
  }
  if (apart.length > 0) joined['allOf'] = [...((joined['allOf'] as Json[] | undefined) ?? []), ...apart];
  return joined;
}

/** A schema that also accepts null. */
export function orNull(schema: JsonObject): JsonObject {
  const { type } = schema;
  const judged = ['enum', 'const', 'anyOf', 'allOf', 'not', '$ref', 'if'].some((keyword) =>
    Object.hasOwn(schema, keyword),
  );
  if (type === undefined || judged) return anyOf([schema, { type: 'null' }]);
  const types = Array.isArray(type) ? type : [type];
  return { ...schema, type: types.includes('null') ? types : [...types, 'null'] };
}

/** A schema for an enumeration of values, with their type if they share one. */
export function oneOfValues(values: readonly Json[]): JsonObject {
  if (values.length === 0) return { ...NOTHING };
  const types = new Set(values.map(typeOf));
  if (types.has('number') && types.has('integer')) types.delete('integer');
  const [type] = types;
  if (type === 'null' && types.size === 1) return { type: 'null' };
  return type !== undefined && types.size === 1 ? { type, enum: [...values] } : { enum: [...values] };
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** Converts a value to JSON; undefined if JSON cannot represent it. */
export function asJson(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'object': {
      if (value === null) return null;
      const plain = Array.isArray(value) || isPlain(value);
      if (!plain) return undefined;
      const items = Object.values(value).map(asJson);
      return items.includes(undefined) ? undefined : (structuredClone(value) as Json);
    }
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return undefined;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return isObject(value) && (prototype === Object.prototype || prototype === null);
}
