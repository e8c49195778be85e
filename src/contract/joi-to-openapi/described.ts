/**
 * The result of Joi's `schema.describe()`, as far as the conversion uses it, and Joi's merging of
 * two schemas for a `when`.
 */
import { canonical, type Json } from '../json.ts';

/** A rule of a description. */
export interface DescribedRule {
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly keep?: boolean;
  readonly warn?: boolean;
}

/** One test of a `when` or of a conditional alternative. */
export interface DescribedTest {
  readonly is?: Described;
  readonly then?: Described;
  readonly otherwise?: Described;
}

/** A `when`, a conditional alternative, or a plain alternative. */
export interface DescribedMatch extends DescribedTest {
  readonly schema?: Described;
  readonly ref?: DescribedRef;
  readonly switch?: readonly DescribedTest[];
  readonly break?: boolean;
  readonly concat?: Described;
}

/** A reference to another value, or, in a link, to a schema. */
export interface DescribedRef {
  readonly path?: readonly string[];
  readonly ancestor?: number | 'root';
  readonly type?: string;
}

/** A rule between keys of an object. */
export interface DescribedDependency {
  readonly rel: 'and' | 'or' | 'xor' | 'oxor' | 'nand' | 'with' | 'without';
  readonly key?: string;
  readonly peers: readonly string[];
  readonly options?: { readonly separator?: string | false; readonly isPresent?: unknown };
}

export interface DescribedPattern {
  readonly regex?: string;
  readonly schema?: Described;
  readonly rule: Described;
  readonly matches?: Described;
}

export interface DescribedRename {
  readonly from: string | { readonly regex: string };
  readonly to: string | { readonly template: string };
  readonly options?: { readonly alias?: boolean; readonly override?: boolean; readonly multiple?: boolean };
}

export interface DescribedPreferences {
  readonly convert?: boolean;
  readonly allowUnknown?: boolean;
  readonly stripUnknown?: boolean | { readonly objects?: boolean; readonly arrays?: boolean };
  readonly presence?: string;
}

export interface DescribedFlags {
  readonly presence?: string;
  readonly only?: boolean;
  readonly insensitive?: boolean;
  readonly sensitive?: boolean;
  readonly truncate?: boolean;
  readonly unsafe?: boolean;
  readonly unknown?: boolean;
  readonly single?: boolean;
  readonly format?: string;
  readonly encoding?: string;
  readonly result?: string;
  readonly match?: string;
  readonly id?: string;
  readonly label?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly empty?: Described;
  readonly default?: unknown;
  readonly failover?: unknown;
}

/** A description of a Joi schema. */
export interface Described {
  readonly type: string;
  readonly flags?: DescribedFlags;
  readonly rules?: readonly DescribedRule[];
  readonly preferences?: DescribedPreferences;
  readonly allow?: readonly unknown[];
  readonly invalid?: readonly unknown[];
  readonly whens?: readonly DescribedMatch[];
  readonly keys?: Readonly<Record<string, Described>>;
  readonly patterns?: readonly DescribedPattern[];
  readonly renames?: readonly DescribedRename[];
  readonly dependencies?: readonly DescribedDependency[];
  readonly items?: readonly Described[];
  readonly ordered?: readonly Described[];
  readonly matches?: readonly DescribedMatch[];
  readonly link?: { readonly ref: DescribedRef };
  readonly shared?: readonly Described[];
  readonly truthy?: readonly unknown[];
  readonly falsy?: readonly unknown[];
  readonly replacements?: readonly unknown[];
  readonly externals?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly metas?: readonly unknown[];
  readonly notes?: readonly string[];
  readonly tags?: readonly string[];
}

/** Rules that can occur several times; other rules replace one with the same name. */
const MULTIPLE: ReadonlySet<string> = new Set([
  'custom',
  'warning',
  'pattern',
  'multiple',
  'has',
  'unique',
  'assert',
]);

/** Maximum number of combinations of `when` results that are distinguished. */
const MAX_VARIANTS = 32;

/** Whether a value is known only at run time: a reference, template or function. */
export function isDynamic(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return ['ref', 'template', 'function'].some((name) => Object.hasOwn(value, name));
}

/**
 * Resolves the `when`s of a schema to one description per possible result. Undefined when there are
 * too many, or one is unknown.
 */
export function variantsOf(described: Described): readonly Described[] | undefined {
  const { whens, ...base } = described;
  if (whens === undefined) return [described];
  let open: Described[] = [base];
  const done: Described[] = [];
  for (const when of whens) {
    if (when.concat !== undefined) return undefined;
    const tests = when.switch ?? [when];
    const outcomes = tests
      .flatMap(({ then, otherwise }) => [then, otherwise])
      .filter((one) => one !== undefined);
    const complete = tests.every(({ then }) => then !== undefined) && tests.at(-1)?.otherwise !== undefined;
    const decided = outcomes.map(variantsOf);
    if (decided.includes(undefined)) return undefined;
    const matched = open.flatMap((one) =>
      decided.flat().map((outcome) => overlay(one, outcome as Described)),
    );
    const unmatched = complete ? [] : open;
    if (when.break === true) done.push(...matched);
    open = when.break === true ? unmatched : [...matched, ...unmatched];
    if (open.length + done.length > MAX_VARIANTS) return undefined;
  }
  return [...done, ...open];
}

/** Joi's `base.concat(over)`, on descriptions. */
export function overlay(base: Described, over: Described): Described {
  const single = new Set((over.rules ?? []).map(({ name }) => name).filter((name) => !MULTIPLE.has(name)));
  const kept = (base.rules ?? []).filter(({ name, keep }) => keep === true || !single.has(name));
  const joined: Record<string, unknown> = { ...base, ...over };
  for (const term of [
    'patterns',
    'renames',
    'dependencies',
    'items',
    'ordered',
    'matches',
    'replacements',
  ] as const) {
    joined[term] = appended(base[term], over[term]);
  }
  for (const term of [
    'truthy',
    'falsy',
    'externals',
    'examples',
    'metas',
    'notes',
    'tags',
    'shared',
  ] as const) {
    joined[term] = appended(base[term], over[term]);
  }
  return {
    ...(joined as unknown as Described),
    type: base.type === 'any' ? over.type : base.type,
    flags: flags(base.flags, over.flags),
    rules: [...kept, ...(over.rules ?? [])],
    preferences: { ...base.preferences, ...over.preferences },
    allow: values(base.allow, over.allow, over.invalid),
    invalid: values(base.invalid, over.invalid, over.allow),
    keys: keys(base.keys, over.keys),
  };
}

function appended<T>(
  base: readonly T[] | undefined,
  over: readonly T[] | undefined,
): readonly T[] | undefined {
  return base === undefined ? over : over === undefined ? base : [...base, ...over];
}

function flags(base: DescribedFlags = {}, over: DescribedFlags = {}): DescribedFlags {
  const joined = { ...base, ...over };
  if (base.empty === undefined || over.empty === undefined) return joined;
  const either: Described = {
    type: 'alternatives',
    matches: [{ schema: base.empty }, { schema: over.empty }],
  };
  return { ...joined, empty: either };
}

function values(
  base: readonly unknown[] = [],
  over: readonly unknown[] = [],
  without: readonly unknown[] = [],
): readonly unknown[] | undefined {
  if (over.some(isOverride)) return over;
  const removed = new Set(without.map(textOfValue));
  const joined = [...base, ...over].filter((value) => !removed.has(textOfValue(value)));
  return joined.length === 0 ? undefined : joined;
}

/** Whether an entry of `allow` replaces the values that were allowed before. */
export function isOverride(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'override');
}

function textOfValue(value: unknown): string {
  return value === undefined ? 'undefined' : canonical(value as Json);
}

function keys(base: Described['keys'], over: Described['keys']): Described['keys'] {
  if (base === undefined || over === undefined) return base ?? over;
  const joined: Record<string, Described> = { ...base };
  for (const [name, schema] of Object.entries(over)) {
    const below = Object.hasOwn(base, name) ? base[name] : undefined;
    joined[name] = below === undefined ? schema : overlay(below, schema);
  }
  return joined;
}
