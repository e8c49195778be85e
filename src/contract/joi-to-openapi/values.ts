/**
 * Values that a Joi schema allows or forbids by name, including values that Joi converts to them.
 */
import { type Json, type JsonObject } from '../json.ts';
import { anyOf, asJson, oneOfValues } from './build.ts';
import type { Mode } from './conversion.ts';
import { type Described, type DescribedPreferences, isDynamic, isOverride } from './described.ts';
import { literalPattern, NON_ASCII } from './regex.ts';
import { booleanText, NUMERIC_TEXT } from './scalars.ts';

/** The values of `allow`. */
export interface Literals {
  /** Values that JSON can represent. */
  readonly values: readonly Json[];
  /** Whether a value is known only during validation. */
  readonly dynamic: boolean;
  /** Whether there are values without a JSON form, such as dates and buffers. */
  readonly foreign: boolean;
}

export function literalsOf(allow: readonly unknown[] | undefined): Literals {
  const values: Json[] = [];
  let dynamic = false;
  let foreign = false;
  for (const entry of allow ?? []) {
    if (isOverride(entry)) continue;
    if (isDynamic(entry)) {
      dynamic = true;
      continue;
    }
    const value = asJson(isWrapped(entry) ? entry.value : entry);
    if (value === undefined) foreign = true;
    else values.push(value);
  }
  return { values, dynamic, foreign };
}

/** Joi wraps objects in a description. */
function isWrapped(entry: unknown): entry is { value: unknown } {
  return typeof entry === 'object' && entry !== null && Object.keys(entry).length === 1 && 'value' in entry;
}

/** Schemas that together accept the values and whatever Joi converts to them. */
export function literalSchemas(
  values: readonly Json[],
  described: Described,
  mode: Mode,
  preferences: DescribedPreferences,
): JsonObject[] {
  const exact = values.length === 0 ? [] : [oneOfValues(values)];
  if (mode === 'output' || preferences.convert === false) {
    return described.flags?.insensitive === true ? [...exact, ...texts(values, described)] : exact;
  }
  switch (described.type) {
    case 'string':
      return [...exact, ...texts(values, described)];
    case 'number':
      return mode === 'json' && values.some((value) => typeof value === 'number')
        ? [...exact, NUMERIC_TEXT]
        : exact;
    case 'boolean':
      return values.some((value) => typeof value === 'boolean')
        ? [...exact, ...booleanText(described, mode)]
        : exact;
    case 'date':
      return [...exact, { type: ['string', 'number'] }];
    case 'binary':
      return [...exact, { type: ['string', 'object'] }];
    case 'array':
      return described.rules?.some(({ name }) => name === 'sort') === true
        ? [...exact, { type: 'array' }]
        : exact;
    default:
      return exact;
  }
}

/**
 * Texts that become one of the values by trimming or case conversion, or are equal to one if case
 * is ignored.
 */
function texts(values: readonly Json[], described: Described): JsonObject[] {
  const { flags = {}, rules = [], replacements } = described;
  const names = new Set(rules.map(({ name }) => name));
  const trimmed = rules.some(({ name, args }) => name === 'trim' && args?.['enabled'] !== false);
  const insensitive = flags.insensitive === true || names.has('case');
  if (
    replacements !== undefined ||
    flags.truncate === true ||
    names.has('isoDate') ||
    names.has('normalize') ||
    names.has('hex')
  ) {
    return [{ type: 'string' }];
  }
  if (!trimmed && !insensitive) return [];
  const space = trimmed ? '\\s*' : '';
  // Beyond ASCII, case conversion may change the letter: the long s becomes S.
  const strange: JsonObject[] = names.has('case') ? [{ type: 'string', pattern: NON_ASCII }] : [];
  const patterns = values
    .filter((value) => typeof value === 'string')
    .map((value) => literalPattern(value, insensitive))
    .map((pattern): JsonObject => (pattern === undefined ? {} : { pattern: `^${space}${pattern}${space}$` }));
  return [...patterns.map((pattern): JsonObject => ({ type: 'string', ...pattern })), ...strange];
}

/** A schema of forbidden values; undefined if JSON Schema cannot express it. */
export function invalidSchema(invalid: readonly unknown[], described: Described): JsonObject | undefined {
  const { values, dynamic, foreign } = literalsOf(invalid);
  if (dynamic || foreign || values.length === 0) return undefined;
  // Joi compares after conversion, when numeric text is a number.
  const { type } = described;
  const converted = type === 'number' || type === 'boolean' || type === 'binary';
  if (converted && values.some((value) => typeof value !== type && value !== null)) return undefined;
  if (described.flags?.insensitive !== true) return { enum: [...values] };
  if ((described.allow?.length ?? 0) > 0) return undefined;
  const schemas = values.map((value): JsonObject | undefined => {
    if (typeof value !== 'string') return { enum: [value] };
    const pattern = literalPattern(value, true);
    return pattern === undefined ? undefined : { type: 'string', pattern: `^(?:${pattern})$` };
  });
  return schemas.every((schema) => schema !== undefined) ? anyOf(schemas) : undefined;
}
