/**
 * Checks one schema object keyword by keyword and converts it from OpenAPI 3.0 or older drafts of
 * JSON Schema to 2020-12. The served document and the validators therefore use only one dialect.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';
import type { Problems } from './problems.ts';

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']);

/**
 * Keywords that would change the base URI of a schema or the mode of the validator, or that the
 * conversion replaces.
 */
const DROPPED = [
  '$id',
  'id',
  '$schema',
  '$anchor',
  '$dynamicAnchor',
  '$recursiveAnchor',
  '$vocabulary',
  '$async',
  'nullable',
] as const;

/** Annotations: keywords that describe a value without constraining it. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'deprecated',
  'examples',
  'readOnly',
  'writeOnly',
  'externalDocs',
  'xml',
  'discriminator',
  '$comment',
]);

type Check = (value: Json) => string | undefined;

/** Returns whether a value is a number, or an exact number that a double cannot represent. */
function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || value instanceof ExactNumber;
}

const isCount: Check = (value) =>
  isNumeric(value) && Number.isInteger(Number(value)) && Number(value) >= 0
    ? undefined
    : 'must be an integer of at least 0';
const isNumber: Check = (value) => (isNumeric(value) ? undefined : 'must be a number');
const isString: Check = (value) => (typeof value === 'string' ? undefined : 'must be a string');
/** Some tools resolve `description: { $ref: page.md }`; here it is data. */
const isDescription: Check = (value) =>
  isObject(value) && typeof member(value, '$ref') === 'string' ? undefined : isString(value);
const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const isFilled: Check = (value) =>
  Array.isArray(value) && value.length > 0 ? undefined : 'must be an array with at least one item';
const isStrings: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')
    ? undefined
    : 'must be an array of strings';

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['type', isType],
  ['enum', isFilled],
  ['allOf', isFilled],
  ['anyOf', isFilled],
  ['oneOf', isFilled],
  ['required', isStrings],
  ['minLength', isCount],
  ['maxLength', isCount],
  ['minItems', isCount],
  ['maxItems', isCount],
  ['minContains', isCount],
  ['maxContains', isCount],
  ['minProperties', isCount],
  ['maxProperties', isCount],
  ['minimum', isNumber],
  ['maximum', isNumber],
  ['exclusiveMinimum', isNumber],
  ['exclusiveMaximum', isNumber],
  [
    'multipleOf',
    (value) => (isNumeric(value) && Number(value) > 0 ? undefined : 'must be a number greater than 0'),
  ],
  ['uniqueItems', isBoolean],
  ['deprecated', isBoolean],
  ['readOnly', isBoolean],
  ['writeOnly', isBoolean],
  ['title', isString],
  ['description', isDescription],
  ['format', isString],
  ['pattern', isString],
  ['contentEncoding', isString],
  ['contentMediaType', isString],
  ['dependentRequired', isDependencies],
]);

/** Keywords with schemas or values that constrain a value, in addition to those in `CHECKS`. */
const CONSTRAINTS: ReadonlySet<string> = new Set([
  '$ref',
  'const',
  'properties',
  'patternProperties',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'dependentSchemas',
  'prefixItems',
  'items',
  'unevaluatedItems',
  'contains',
  'not',
  'if',
  'then',
  'else',
]);

/** Returns whether a keyword constrains the value; all others are annotations. */
export function isConstraint(keyword: string): boolean {
  return CONSTRAINTS.has(keyword) || (CHECKS.has(keyword) && !ANNOTATIONS.has(keyword));
}

/**
 * Converts one schema object to 2020-12, in place. The calling walk converts its subschemas.
 *
 * @param problems collects each keyword that is not valid.
 */
export function normaliseSchema(schema: JsonObject, pointer: string, problems: Problems): JsonObject {
  const nullable = member(schema, 'nullable') === true;
  for (const keyword of DROPPED) delete schema[keyword];
  bounds(schema);
  example(schema);
  tuples(schema);
  dependencies(schema);
  formats(schema);
  if (Array.isArray(schema['allOf']) && schema['allOf'].length === 0) delete schema['allOf'];
  for (const [keyword, value] of Object.entries(schema)) {
    const problem = CHECKS.get(keyword)?.(value);
    if (problem === undefined) continue;
    problems.add(new ContractError(`${keyword} ${problem}`, { pointer: `${pointer}/${keyword}` }));
    delete schema[keyword];
  }
  return nullable ? orNull(schema) : schema;
}

function isType(value: Json): string | undefined {
  const types = Array.isArray(value) ? value : [value];
  if (types.length > 0 && types.every((type) => typeof type === 'string' && TYPES.has(type)))
    return undefined;
  return `must be one or several of ${[...TYPES].join(', ')}`;
}

function isDependencies(value: Json): string | undefined {
  const problem = 'must be an object of arrays of strings';
  return isObject(value) && Object.values(value).every((item) => isStrings(item) === undefined)
    ? undefined
    : problem;
}

/** OpenAPI 3.0 (draft 4) has `exclusiveMinimum: true` next to `minimum`. */
function bounds(schema: JsonObject): void {
  for (const [exclusive, inclusive] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const flag = member(schema, exclusive);
    if (typeof flag !== 'boolean') continue;
    delete schema[exclusive];
    const limit = member(schema, inclusive);
    if (!flag || limit === undefined) continue;
    schema[exclusive] = limit;
    delete schema[inclusive];
  }
}

/** OpenAPI 3.0 has `example`; 2020-12 has the array `examples`. */
function example(schema: JsonObject): void {
  const one = member(schema, 'example');
  const many = member(schema, 'examples');
  if (one !== undefined) delete schema['example'];
  if (Array.isArray(many)) return;
  if (isObject(many)) schema['examples'] = Object.values(many);
  else if (many !== undefined) delete schema['examples'];
  if (many === undefined && one !== undefined) schema['examples'] = [one];
}

/**
 * Drafts before 2020-12 have an array in `items`, and `additionalItems` for the remaining items.
 */
function tuples(schema: JsonObject): void {
  const items = member(schema, 'items');
  const rest = member(schema, 'additionalItems');
  delete schema['additionalItems'];
  if (!Array.isArray(items)) return;
  delete schema['items'];
  if (items.length > 0) schema['prefixItems'] = items;
  if (rest !== undefined) schema['items'] = rest;
}

/** Drafts before 2019-09 have `dependencies`, which 2020-12 splits into two keywords. */
function dependencies(schema: JsonObject): void {
  const both = member(schema, 'dependencies');
  if (both === undefined) return;
  delete schema['dependencies'];
  if (!isObject(both)) return;
  const entries = Object.entries(both);
  const required = entries.filter(([, value]) => Array.isArray(value));
  const schemas = entries.filter(([, value]) => !Array.isArray(value));
  if (required.length > 0) schema['dependentRequired'] ??= Object.fromEntries(required);
  if (schemas.length > 0) schema['dependentSchemas'] ??= Object.fromEntries(schemas);
}

/**
 * OpenAPI 3.0 has `format: byte` and `format: binary`, which 3.1 expresses with content keywords.
 */
function formats(schema: JsonObject): void {
  const format = member(schema, 'format');
  if (format === 'byte') {
    delete schema['format'];
    schema['contentEncoding'] ??= 'base64';
  } else if (format === 'binary') {
    delete schema['format'];
    schema['contentMediaType'] ??= 'application/octet-stream';
  }
}

/** Keywords that constrain the same value and so would reject a null that `type` accepts. */
const IN_PLACE = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'const'] as const;

/**
 * OpenAPI 3.0 has `nullable: true`. It becomes an additional type if that is sufficient, or else an
 * additional alternative.
 */
function orNull(schema: JsonObject): JsonObject {
  const type = member(schema, 'type');
  const values = member(schema, 'enum');
  if (type !== undefined && !IN_PLACE.some((keyword) => Object.hasOwn(schema, keyword))) {
    const types = Array.isArray(type) ? type : [type];
    if (!types.includes('null')) schema['type'] = [...types, 'null'];
    if (Array.isArray(values) && !values.includes(null)) schema['enum'] = [...values, null];
    return schema;
  }
  const notes: JsonObject = {};
  const rest: JsonObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    (ANNOTATIONS.has(keyword) || keyword.startsWith('x-') ? notes : rest)[keyword] = value;
  }
  return Object.keys(rest).length === 0 ? notes : { ...notes, anyOf: [rest, { type: 'null' }] };
}
