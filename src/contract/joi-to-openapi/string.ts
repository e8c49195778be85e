/**
 * Conversion of strings.
 */
import { type JsonObject } from '../json.ts';
import { allOf, anyOf } from './build.ts';
import type { Mode, Scope, Sketch } from './conversion.ts';
import type { Described, DescribedRule } from './described.ts';
import { type FormatPattern, formatOf } from './formats.ts';
import { ASTRAL, NON_ASCII, translate } from './regex.ts';

/** Changes that Joi makes to text before it validates it. */
interface Changes {
  readonly trim: boolean;
  readonly case: boolean;
  /** Unicode normalisation. */
  readonly normalize: boolean;
  /** The result can be anything, so nothing is known about the input. */
  readonly any: boolean;
  /** The only rule that changes the text, if it validates the text before its change. */
  readonly first?: DescribedRule;
}

/** Whether Joi may change a value before it compares it with forbidden values. */
export function isTransformed(described: Described, scope: Scope): boolean {
  if (described.type !== 'string') return described.type === 'binary';
  const changes = changesOf(described, scope, 'json');
  return (
    changes.trim || changes.case || changes.normalize || changes.any || described.flags?.truncate === true
  );
}

/**
 * Whether Joi trims text before it compares it with the values that count as empty. It does so even
 * without conversion.
 */
export function isTrimmedForEmpty({ type, rules = [] }: Described): boolean {
  return type === 'string' && rules.some(isTrim);
}

function isTrim({ name, args }: DescribedRule): boolean {
  return name === 'trim' && args?.['enabled'] !== false;
}

/** Whether text other than white space may become empty before Joi validates it. */
export function mayVanish(described: Described, scope: Scope): boolean {
  return changesOf(described, scope, 'json').any || described.flags?.truncate === true;
}

function changesOf(described: Described, scope: Scope, mode: Mode): Changes {
  const none = { trim: false, case: false, normalize: false, any: false };
  if (mode === 'output' || scope.preferences.convert === false) return none;
  const rules = described.rules ?? [];
  const has = (name: string): boolean => rules.some((rule) => rule.name === name);
  const changing = rules.filter((rule) => rule.name === 'isoDate' || isAligned(rule));
  return {
    trim: rules.some(isTrim),
    case: has('case'),
    normalize: has('normalize'),
    any: described.replacements !== undefined || changing.length > 0,
    ...(changing.length === 1 && described.replacements === undefined ? { first: changing[0] } : {}),
  };
}

/** `hex({ byteAligned: true })` prepends a zero to an odd number of digits. */
function isAligned({ name, args }: DescribedRule): boolean {
  return name === 'hex' && (args?.['options'] as JsonObject | undefined)?.['byteAligned'] === true;
}

/** Constraints collected so far. */
interface Gathered {
  min: number;
  max: number | undefined;
  readonly schemas: JsonObject[];
  readonly notes: string[];
  format: string | undefined;
  example: string | undefined;
  /** Whether all text beyond `\uFFFF` is rejected, so that characters and units are the same. */
  narrow: boolean;
}

export function convertString(described: Described, scope: Scope, mode: Mode): Sketch {
  const changes = changesOf(described, scope, mode);
  const gathered: Gathered = {
    min: 1,
    max: undefined,
    schemas: [],
    notes: [],
    format: undefined,
    example: undefined,
    narrow: false,
  };
  if (described.replacements !== undefined) gathered.notes.push('Parts are replaced before it is judged.');
  const truncated =
    described.flags?.truncate === true && mode !== 'output' && scope.preferences.convert !== false;
  let custom = false;
  for (const rule of described.rules ?? []) {
    if (rule.warn === true) continue;
    if (rule.name === 'custom') {
      gathered.notes.push(customNote(rule));
      custom = true;
    } else
      gatherRule(gathered, rule, changes, {
        unknown: changes.any || custom,
        alone: isAlone(described),
        custom,
        truncated,
        converts: mode !== 'output' && scope.preferences.convert !== false,
      });
  }
  if (changes.any && described.replacements !== undefined) gathered.min = 0;
  return { schema: finish(gathered, changes), notes: gathered.notes };
}

/** Whether a rule is all that is known of the text, so that an example of its format is valid. */
function isAlone({ rules = [], allow, invalid, whens, examples }: Described): boolean {
  return rules.length === 1 && [allow, invalid, whens, examples].every((each) => each === undefined);
}

interface Circumstances {
  /** Whether the validated text is unrelated to the input. */
  readonly unknown: boolean;
  /** Whether the text has no other rules and no listed values. */
  readonly alone: boolean;
  /** Whether a custom function ran before. */
  readonly custom: boolean;
  readonly truncated: boolean;
  readonly converts: boolean;
}

function gatherRule(gathered: Gathered, rule: DescribedRule, changes: Changes, how: Circumstances): void {
  const { name, args = {} } = rule;
  switch (name) {
    case 'min':
    case 'max':
    case 'length':
      gatherLength(gathered, name, args as { limit: unknown; encoding?: string }, changes, how);
      return;
    case 'pattern':
      gatherPattern(gathered, rule, changes, how.unknown || how.truncated);
      return;
    case 'trim':
      if (args['enabled'] === false) return;
      if (how.converts) gathered.notes.push('White space around it is ignored.');
      else gathered.schemas.push({ pattern: '^(?!\\s)' }, { pattern: '(?:^|\\S)$' });
      return;
    case 'case':
      if (how.converts) gathered.notes.push(`It becomes ${String(args['direction'])} case.`);
      else gathered.schemas.push({ pattern: args['direction'] === 'lower' ? '^[^A-Z]*$' : '^[^a-z]*$' });
      return;
    case 'normalize':
      gathered.notes.push(`Unicode normalisation form ${String(args['form'])}.`);
      return;
    default:
      gatherFormat(gathered, rule, changes, how);
  }
}

function gatherLength(
  gathered: Gathered,
  name: 'min' | 'max' | 'length',
  { limit, encoding }: { limit: unknown; encoding?: string },
  changes: Changes,
  how: Circumstances,
): void {
  if (typeof limit !== 'number') {
    gathered.notes.push('Its length depends on another value.');
    if (name !== 'max') gathered.min = 0;
    return;
  }
  const lower = name !== 'max';
  const upper = name !== 'min' && !how.truncated;
  if (lower && limit === 0 && name === 'min') gathered.min = 0;
  const bytes = encoding !== undefined;
  if (bytes || how.unknown) {
    const words = { min: 'At least', max: 'At most', length: 'Exactly' } as const;
    gathered.notes.push(
      `${words[name]} ${limit} ${bytes ? `bytes as ${encoding}` : 'characters in the end'}.`,
    );
    return;
  }
  if (lower) gathered.min = Math.max(gathered.min, limit);
  if (!upper) return;
  if (changes.trim) gathered.notes.push(`At most ${limit} characters, not counting white space around it.`);
  else gathered.max = Math.min(gathered.max ?? Infinity, limit);
}

function gatherPattern(gathered: Gathered, rule: DescribedRule, changes: Changes, unknown: boolean): void {
  const literal = String(rule.args?.['regex']);
  const options = (rule.args?.['options'] ?? {}) as { invert?: boolean; name?: string };
  const invert = options.invert === true;
  const translated = translate(literal);
  const changed = unknown || changes.trim || changes.case || changes.normalize;
  if (changed || translated === undefined) {
    gathered.notes.push(`Must ${invert ? 'not ' : ''}match ${literal}.`);
    return;
  }
  if (options.name !== undefined) gathered.notes.push(`Pattern: ${options.name}.`);
  if (!invert) gathered.schemas.push({ pattern: translated.pattern });
  else if (translated.exact) gathered.schemas.push({ not: { pattern: translated.pattern } });
  else gathered.schemas.push(anyOf([{ not: { pattern: translated.pattern } }, { pattern: ASTRAL }]));
}

function gatherFormat(gathered: Gathered, rule: DescribedRule, changes: Changes, how: Circumstances): void {
  const unknown = how.unknown || how.truncated;
  const format = formatOf(rule);
  if (format === undefined) {
    gathered.notes.push(`Rule: ${rule.name}.`);
    return;
  }
  if (format.note !== undefined) gathered.notes.push(format.note);
  if (format.format !== undefined) gathered.format ??= format.format;
  const converted =
    format.body !== undefined &&
    (!unknown || (rule === changes.first && !how.custom && !how.truncated)) &&
    !(changes.case && !format.anyCase);
  if (!converted) return;
  if (how.alone && format.example !== undefined) gathered.example = format.example;
  const isPlain = !changes.trim && !changes.case && !changes.normalize;
  gathered.schemas.push(
    isPlain && format.keywords !== undefined ? format.keywords : { pattern: patternOf(format, changes) },
  );
  if (format.narrow && !changes.case && !changes.normalize) gathered.narrow = true;
}

function patternOf(format: FormatPattern, changes: Changes): string {
  const space = changes.trim ? '\\s*' : '';
  const body = `^${space}(?:${format.body ?? ''})${space}$`;
  // Beyond ASCII, case conversion and normalisation may turn a character into a different one.
  return changes.case || changes.normalize ? `${body}|${NON_ASCII}` : body;
}

function finish(gathered: Gathered, changes: Changes): JsonObject {
  const { min, max, format, narrow } = gathered;
  const schemas = [...gathered.schemas];
  const schema: JsonObject = { type: 'string' };
  if (format !== undefined) schema['format'] = format;
  if (gathered.example !== undefined) schema['examples'] = [gathered.example];
  const strange = changes.case || changes.normalize;
  if (min > 0) schema['minLength'] = min === 1 || narrow ? min : 1;
  if (max !== undefined && !strange) schema['maxLength'] = max;
  if (max !== undefined && strange) schemas.push(anyOf([{ maxLength: max }, { pattern: NON_ASCII }]));
  // Joi counts UTF-16 units; JSON Schema counts characters, which may be fewer.
  if (min > 1 && !narrow) {
    const fewer: JsonObject = strange
      ? { pattern: NON_ASCII }
      : { minLength: Math.ceil(min / 2), pattern: ASTRAL };
    delete schema['minLength'];
    schemas.push(anyOf([{ minLength: min }, fewer]));
  }
  if (min > 0 && changes.trim && schemas.length === 0) schemas.push({ pattern: '\\S' });
  return allOf([schema, ...schemas]);
}

/** Describes a custom validation function. */
export function customNote({ args }: DescribedRule): string {
  const description = args?.['description'];
  return typeof description === 'string' ? `Rule: ${description}.` : 'Checked further by the worker.';
}
