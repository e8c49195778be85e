/**
 * Conversion of arrays.
 */
import { type JsonObject } from '../json.ts';
import { allOf, anyOf } from './build.ts';
import type { Conversion, Scope, Sketch } from './conversion.ts';
import { type Described, type DescribedRule } from './described.ts';
import { customNote } from './string.ts';

export function convertArray(converter: Conversion, described: Described, scope: Scope): Sketch {
  const { items = [], ordered = [], flags = {}, rules = [] } = described;
  const notes: string[] = [];
  const converts = converter.mode !== 'output' && scope.preferences.convert !== false;
  const sorted = converts && rules.some(({ name }) => name === 'sort');
  const convert = (one: Described): JsonObject => converter.convert(one, scope);
  const wanted = items.filter((item) => item.flags?.presence === 'required');
  const allowed = items.filter((item) => item.flags?.presence !== 'forbidden');
  const excluded = items.filter((item) => item.flags?.presence === 'forbidden');
  const strips = stripsItems(scope);
  const schema: JsonObject = { type: 'array' };

  const each: JsonObject[] = [];
  if (allowed.length > 0 && !strips) each.push(anyOf(allowed.map(convert)));
  for (const item of excluded) {
    const rejected = strips ? undefined : strictSchemaOf(item);
    if (rejected === undefined) notes.push('Certain items are not allowed.');
    else each.push({ not: rejected });
  }
  const item = allOf(each);
  const locations = ordered.map(convert);
  if (ordered.length > 0 && !sorted && !strips) {
    schema['prefixItems'] = locations;
    schema['items'] = items.length === 0 ? false : item;
  } else if (ordered.length > 0) notes.push('Its first items have places of their own.');
  else if (Object.keys(item).length > 0) schema['items'] = item;

  let least = wanted.length;
  ordered.forEach((one, index) => {
    if (one.flags?.presence === 'required') least = Math.max(least, index + 1);
  });
  if (least > 0) schema['minItems'] = least;
  const contained = wanted.map((one) => ({ contains: convert(one) }));
  const gathered: Gathered = { schema, contained, notes };
  const counts = {
    grows: ordered.some(
      (one) =>
        one.flags?.default !== undefined || one.flags?.failover !== undefined || one.whens !== undefined,
    ),
    shrinks: strips || [...items, ...ordered].some(mayVanish),
  };
  let changed = false;
  for (const rule of rules) {
    if (rule.warn === true) continue;
    if (rule.name === 'custom') {
      notes.push(customNote(rule));
      changed = true;
    } else
      gatherRule(converter, gathered, rule, scope, { ...counts, changed, items: [...items, ...ordered] });
  }
  const [only, ...others] = contained;
  if (only !== undefined && others.length === 0) Object.assign(schema, only);
  if (others.length > 0) schema['allOf'] = contained;
  if (flags.single !== true) return { schema, notes };
  const single = ordered.length > 0 ? anyOf([...locations, item]) : item;
  return { schema: anyOf([schema, single]), notes };
}

interface Gathered {
  readonly schema: JsonObject;
  readonly contained: { contains: JsonObject }[];
  readonly notes: string[];
}

interface ArrayChanges {
  /** Joi may add items before it counts them. */
  readonly grows: boolean;
  /** Joi may remove items before it counts them. */
  readonly shrinks: boolean;
  /** A custom function may have changed everything. */
  readonly changed: boolean;
  readonly items: readonly Described[];
}

function gatherRule(
  converter: Conversion,
  { schema, contained, notes }: Gathered,
  rule: DescribedRule,
  scope: Scope,
  how: ArrayChanges,
): void {
  const limit = rule.args?.['limit'];
  switch (rule.name) {
    case 'min':
    case 'max':
    case 'length': {
      const lower = rule.name !== 'max';
      const upper = rule.name !== 'min';
      if (typeof limit !== 'number' || how.changed || (lower && how.grows) || (upper && how.shrinks)) {
        notes.push(
          `Rule: ${rule.name} ${typeof limit === 'number' ? `${limit} items` : 'by another value'}.`,
        );
        return;
      }
      if (lower) schema['minItems'] = Math.max(limit, (schema['minItems'] as number | undefined) ?? 0);
      if (upper) schema['maxItems'] = limit;
      return;
    }
    case 'unique': {
      const comparator = rule.args?.['comparator'];
      const isExact = comparator === undefined && !how.changed && !how.shrinks && !how.items.some(makesNew);
      if (isExact) schema['uniqueItems'] = true;
      else
        notes.push(
          typeof comparator === 'string'
            ? `No two items have the same ${comparator}.`
            : 'No two items are the same.',
        );
      return;
    }
    case 'has': {
      const wanted = rule.args?.['schema'];
      // Joi compares the items after their conversion.
      if (how.changed || how.items.some(isConverted)) notes.push('It holds a certain item.');
      else contained.push({ contains: converter.convert(wanted as Described, scope) });
      return;
    }
    case 'sort':
      notes.push('It is sorted.');
      return;
    default:
      notes.push(`Rule: ${rule.name}.`);
  }
}

function stripsItems({ preferences: { stripUnknown } }: Scope): boolean {
  return typeof stripUnknown === 'object' && stripUnknown.arrays === true;
}

/** Whether Joi may convert a value to undefined. */
export function mayVanish(described: Described): boolean {
  const { flags = {}, rules = [], whens, matches, link } = described;
  if (flags.result === 'strip' || flags.empty !== undefined || flags.failover !== undefined) return true;
  if (whens !== undefined || link !== undefined || rules.some(({ name }) => name === 'custom')) return true;
  return (matches ?? []).some((match) => match.schema === undefined || mayVanish(match.schema));
}

/** Whether two equal values may become different ones. */
function makesNew(described: Described): boolean {
  return /"custom"|"default"|"failover"|"link"|"whens"|"external"/.test(JSON.stringify(described));
}

/** Whether Joi may change a value. */
export function isConverted({
  type,
  flags = {},
  rules = [],
  whens,
  replacements,
  preferences,
}: Described): boolean {
  if (whens !== undefined || replacements !== undefined) return true;
  if (rules.some(({ name }) => CHANGING.has(name))) return true;
  if (Object.keys(flags).some((flag) => !HARMLESS.has(flag))) return true;
  if (type === 'string' || type === 'any') return false;
  return !(preferences?.convert === false && (type === 'number' || type === 'boolean'));
}

/** Rules with which Joi changes a value. */
const CHANGING = new Set(['trim', 'case', 'normalize', 'hex', 'isoDate', 'custom', 'uri']);

/** Flags that do not change a value. */
const HARMLESS = new Set(['presence', 'only', 'label', 'description', 'unit']);

/**
 * A schema that accepts only what Joi accepts, for use in `not`; undefined if there is no certain
 * one.
 */
function strictSchemaOf(described: Described): JsonObject | undefined {
  const { flags = {}, rules, allow, invalid, whens, keys, items, ordered, patterns } = described;
  const others = Object.keys(flags).filter(
    (flag) => !['presence', 'only', 'label', 'description'].includes(flag),
  );
  if (rules ?? allow ?? invalid ?? whens ?? keys ?? items ?? ordered ?? patterns) return undefined;
  if (others.length > 0 || described.preferences !== undefined) return undefined;
  switch (described.type) {
    case 'string':
      return { type: 'string', minLength: 1 };
    case 'number':
      return { type: 'number', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
    case 'boolean':
    case 'object':
    case 'array':
      return { type: described.type };
    default:
      return undefined;
  }
}
