/**
 * Conversion of numbers, booleans, dates and binary data.
 */
import { type Json, type JsonObject } from '../json.ts';
import { allOf, anyOf, asJson } from './build.ts';
import type { Mode, Scope, Sketch } from './conversion.ts';
import { type Described, type DescribedRule } from './described.ts';
import { DATE_EXAMPLE, ISO_DATE_KEYWORDS } from './formats.ts';
import { literalPattern } from './regex.ts';
import { customNote } from './string.ts';

/** Text that Joi converts to a number. */
export const NUMERIC_PATTERN = '^\\s*[-+]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][-+]?\\d+)?\\s*$';

/** Schema of text that Joi converts to a number. */
export const NUMERIC_TEXT: Readonly<JsonObject> = Object.freeze({ type: 'string', pattern: NUMERIC_PATTERN });

export function convertNumber(described: Described, scope: Scope, mode: Mode): Sketch {
  const converts = mode !== 'output' && scope.preferences.convert !== false;
  const notes: string[] = [];
  const schemas: JsonObject[] = [];
  const locations = (described.rules ?? []).find(({ name }) => name === 'precision')?.args?.['limit'];
  // Joi rounds before it validates: limits apply to the rounded value.
  const rounding = converts && typeof locations === 'number' ? 10 ** -locations : 0;
  let type = 'number';
  let changed = false;
  for (const rule of described.rules ?? []) {
    if (rule.warn === true) continue;
    if (rule.name === 'custom') changed = true;
    if (rule.name === 'integer' || rule.name === 'port') type = changed || rounding > 0 ? type : 'integer';
    const converted = changed
      ? undefined
      : numberRule(rule, rounding, converts, described.flags?.unsafe !== true);
    if (converted === undefined) notes.push(rule.name === 'custom' ? customNote(rule) : numberNote(rule));
    else schemas.push(converted);
  }
  const schema = allOf([{ type }, ...schemas]);
  if (!converts || mode !== 'json') return { schema, notes };
  // Limits apply only to numbers and the pattern only to text, so that one schema can have both.
  return { schema: { ...schema, type: [type, 'string'], pattern: NUMERIC_PATTERN }, notes };
}

/**
 * How far a value may exceed a limit that its rounded value meets; large numbers are rounded
 * coarsely.
 */
function roundingSlack(limit: number, rounding: number): number {
  return rounding === 0 ? 0 : Math.max(rounding, Math.abs(limit) * 2 ** -50);
}

function numberRule(
  { name, args = {} }: DescribedRule,
  rounding: number,
  converts: boolean,
  safe: boolean,
): JsonObject | undefined {
  const limit = args['limit'];
  switch (name) {
    case 'integer':
      return rounding > 0 ? undefined : {};
    case 'port':
      return { minimum: -rounding, maximum: 65_535 + rounding };
    case 'min':
      return typeof limit === 'number' ? { minimum: limit - roundingSlack(limit, rounding) } : undefined;
    case 'max':
      return typeof limit === 'number' ? { maximum: limit + roundingSlack(limit, rounding) } : undefined;
    case 'greater':
      return typeof limit === 'number'
        ? { exclusiveMinimum: limit - roundingSlack(limit, rounding) }
        : undefined;
    case 'less':
      return typeof limit === 'number'
        ? { exclusiveMaximum: limit + roundingSlack(limit, rounding) }
        : undefined;
    case 'sign':
      return args['sign'] === 'positive'
        ? { exclusiveMinimum: 0 - rounding }
        : { exclusiveMaximum: 0 + rounding };
    case 'multiple': {
      const base = args['base'];
      // For fractions and huge numbers, validators divide while Joi counts decimals, with different
      // results.
      return typeof base === 'number' && Number.isInteger(base) && rounding === 0 && safe
        ? { multipleOf: base }
        : undefined;
    }
    case 'precision':
      return !converts && limit === 0 ? { type: 'integer' } : undefined;
    default:
      return undefined;
  }
}

function numberNote({ name, args = {} }: DescribedRule): string {
  const value = args['limit'] ?? args['base'];
  if (name === 'precision') return `At most ${String(value)} decimal places.`;
  if (name === 'multiple' && typeof value === 'number') return `Must be a multiple of ${value}.`;
  if (name === 'integer') return 'Must be a whole number once it is rounded.';
  return typeof value === 'number' ? `Rule: ${name} ${value}.` : `Rule: ${name}, by another value.`;
}

export function convertBoolean(described: Described, scope: Scope, mode: Mode): Sketch {
  const notes = (described.rules ?? []).filter(({ name }) => name === 'custom').map(customNote);
  if (mode === 'output' || scope.preferences.convert === false) return { schema: { type: 'boolean' }, notes };
  return { schema: anyOf([{ type: 'boolean' }, ...booleanText(described, mode)]), notes };
}

function booleanPattern(insensitive: boolean): string {
  const words = ['true', 'false'].map((word) => literalPattern(word, insensitive) ?? word);
  return `^\\s*(?:${words.join('|')})\\s*$`;
}

const CONVERTED: ReadonlySet<unknown> = new Set([
  NUMERIC_PATTERN,
  booleanPattern(true),
  booleanPattern(false),
]);

/** Whether text with this pattern is accepted only because Joi converts it to a number or a boolean. */
export function isConvertedText(pattern: unknown): boolean {
  return CONVERTED.has(pattern);
}

/** Values other than booleans that Joi converts to booleans. */
export function booleanText(described: Described, mode: Mode): JsonObject[] {
  const insensitive = described.flags?.sensitive !== true;
  const schemas: JsonObject[] = [];
  if (mode === 'json') {
    schemas.push({ type: 'string', pattern: booleanPattern(insensitive) });
  }
  const values = [...(described.truthy ?? []), ...(described.falsy ?? [])]
    .map(asJson)
    .filter((value) => value !== undefined);
  const texts = values.filter((value) => typeof value === 'string');
  const others: Json[] = values.filter((value) => typeof value !== 'string');
  if (others.length > 0) schemas.push({ enum: others });
  if (texts.length > 0 && !insensitive) schemas.push({ type: 'string', enum: texts });
  if (texts.length === 0 || !insensitive) return schemas;
  const patterns = texts.map((text) => literalPattern(text, true));
  const expressible = patterns.every((pattern) => pattern !== undefined);
  schemas.push({ type: 'string', ...(expressible ? { pattern: `^(?:${patterns.join('|')})$` } : {}) });
  return schemas;
}

export function convertDate(described: Described, mode: Mode): Sketch {
  const notes: string[] = [];
  const format = described.flags?.format;
  for (const rule of described.rules ?? []) {
    if (rule.warn === true) continue;
    const limit = rule.args?.['date'];
    if (rule.name === 'custom') notes.push(customNote(rule));
    else notes.push(`Rule: ${rule.name} ${typeof limit === 'string' ? limit : 'by another value'}.`);
  }
  if (mode === 'output') return { schema: { type: 'string', format: 'date-time' }, notes };
  const type = mode === 'text' ? 'string' : ['string', 'number'];
  const isFree = [
    described.rules,
    described.allow,
    described.invalid,
    described.whens,
    described.examples,
  ].every((each) => each === undefined);
  const examples: JsonObject =
    isFree && (format === undefined || format === 'iso') ? { examples: [DATE_EXAMPLE] } : {};
  if (format === 'iso') {
    return { schema: { type, ...ISO_DATE_KEYWORDS, ...examples }, notes: ['An ISO 8601 date.', ...notes] };
  }
  const unit = format === 'unix' ? 'seconds' : 'milliseconds';
  const what = format === undefined ? 'A date: ISO 8601, or' : 'A date as';
  return { schema: { type, minLength: 1, ...examples }, notes: [`${what} ${unit} since 1970.`, ...notes] };
}

export function convertBinary(described: Described, mode: Mode): Sketch {
  const { encoding } = described.flags ?? {};
  const notes = (described.rules ?? []).map((rule) =>
    rule.name === 'custom' ? customNote(rule) : `Rule: ${rule.name} ${String(rule.args?.['limit'])} bytes.`,
  );
  const schema: JsonObject = { type: mode === 'text' ? 'string' : ['string', 'object'] };
  if (encoding === 'base64') schema['contentEncoding'] = 'base64';
  return { schema, notes: [`Binary data as text, encoded as ${encoding ?? 'utf8'}.`, ...notes] };
}
