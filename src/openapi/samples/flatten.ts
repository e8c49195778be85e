/**
 * samples: values that a schema accepts, values at its bounds, and values that it rejects. The same
 * seed returns the same values.
 *
 * Flattens a schema: follows references, merges `allOf`, and takes one alternative of `anyOf` and
 * `oneOf`. The result is narrower or wider than the schema where keywords cannot be merged exactly;
 * the code that makes a value from it validates that value.
 */
import { canonical, isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { nameOfRef } from '../model/component-reference.ts';

/** Selects an alternative: takes the number of alternatives and returns an index. */
export type Choose = (alternatives: readonly Json[]) => number;

/** Maximum depth of references and combinations within one flattened schema. */
const MAX_DEPTH = 50;

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];
const COMBINED = new Set(['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'then', 'else']);

/**
 * Flattens a schema.
 *
 * @param schemas `components.schemas`, to which references point.
 * @returns the schema without references and combinations, or `false` if it accepts no value.
 */
export function flatten(schema: Json, schemas: JsonObject, choose: Choose): JsonObject | false {
  const parts: JsonObject[] = [];
  if (!collect(schema, schemas, choose, parts, 0)) return false;
  return parts.reduce<JsonObject>(merged, {});
}

/** Collects the parts of which all apply. Returns false if no value can conform. */
function collect(
  schema: Json,
  schemas: JsonObject,
  choose: Choose,
  parts: JsonObject[],
  depth: number,
): boolean {
  if (schema === false || depth > MAX_DEPTH) return false;
  if (!isObject(schema)) return true;
  const own = Object.entries(schema).filter(([keyword]) => !COMBINED.has(keyword));
  parts.push(Object.fromEntries(own));
  const ref = textOf(schema, '$ref');
  const also: Json[] = ref === undefined ? [] : [member(schemas, nameOfRef(ref)) ?? true];
  const all = member(schema, 'allOf');
  if (Array.isArray(all)) also.push(...all);
  for (const keyword of ['anyOf', 'oneOf']) {
    const alternatives = member(schema, keyword);
    if (!Array.isArray(alternatives) || alternatives.length === 0) continue;
    also.push(alternatives[choose(alternatives)] ?? true);
  }
  const condition = member(schema, 'if');
  if (condition !== undefined) {
    const met = choose([condition, true]) === 0;
    also.push(...(met ? [condition, member(schema, 'then') ?? true] : [member(schema, 'else') ?? true]));
  }
  return also.every((one) => collect(one, schemas, choose, parts, depth + 1));
}

/** Merges two schemas without combinations so that a value conforms to both. */
function merged(one: JsonObject, other: JsonObject): JsonObject {
  const result: JsonObject = { ...one };
  for (const [keyword, value] of Object.entries(other)) {
    const before = member(result, keyword);
    result[keyword] = before === undefined ? value : mergedKeyword(keyword, before, value);
  }
  return result;
}

function mergedKeyword(keyword: string, before: Json, value: Json): Json {
  if (LOWER.includes(keyword)) return Math.max(Number(before), Number(value));
  if (UPPER.includes(keyword)) return Math.min(Number(before), Number(value));
  switch (keyword) {
    case 'type':
      return typesOfBoth(before, value);
    case 'enum':
      return valuesOfBoth(before, value);
    case 'required':
      return [...new Set<Json>([...listOf(before), ...listOf(value)])];
    case 'properties':
    case 'patternProperties':
    case 'dependentRequired':
      return membersOfBoth(before, value);
    case 'items':
    case 'additionalProperties':
      return before === false || value === false ? false : { allOf: [before, value] };
    // Annotations of the enclosing schema take precedence, and one pattern is as good as another.
    default:
      return before;
  }
}

function listOf(value: Json): Json[] {
  return Array.isArray(value) ? value : [value];
}

function typesOfBoth(one: Json, other: Json): Json {
  const expanded = (types: Json): Json[] => {
    const list = listOf(types);
    return list.includes('number') ? [...list, 'integer'] : list;
  };
  const allowed = expanded(other);
  const both = expanded(one).filter((type) => allowed.includes(type));
  return both.includes('number') ? both.filter((type) => type !== 'integer') : both;
}

function valuesOfBoth(one: Json, other: Json): Json {
  if (!Array.isArray(one) || !Array.isArray(other)) return one;
  const allowed = new Set(other.map(canonical));
  return one.filter((value) => allowed.has(canonical(value)));
}

function membersOfBoth(one: Json, other: Json): Json {
  if (!isObject(one) || !isObject(other)) return one;
  const result: JsonObject = { ...one };
  for (const [name, schema] of Object.entries(other)) {
    const before = member(result, name);
    result[name] = before === undefined || Array.isArray(before) ? schema : { allOf: [before, schema] };
  }
  return result;
}
