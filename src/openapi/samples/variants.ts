/**
 * Variants of a value: the same value with one part replaced by a value at a bound of its schema, or
 * just beyond. The caller validates them: a replacement may break another rule, or none.
 */
import { isObject, type Json, type JsonObject, member, pointerOf, textOf } from '../../contract/json.ts';
import { flatten } from './flatten.ts';
import { boundsOf } from './numbers.ts';
import { lengthOf } from './texts.ts';

/** A variant of a value. */
export interface Variant {
  readonly value: Json;
  /** What differs, such as `/title: 21 characters`. */
  readonly what: string;
}

/** A part of a value, and how to replace it. */
interface Part {
  readonly pointer: string;
  readonly value: Json;
  /** Returns the whole value with another value at this part. */
  with(replacement: Json): Json;
}

/** Maximum length and number of items of a variant. */
const LONGEST = 10_000;
const MOST_ITEMS = 1000;

/** Maximum depth of parts, and number of alternatives of a union that are considered. */
const MAX_DEPTH = 6;
const ALTERNATIVES = 4;

/** Values of each type. */
const OF_EACH_TYPE: readonly Json[] = ['text', 1.5, true, {}, [], null];

/** Yields variants at the bounds of the schema and just beyond. */
export function* variantsOf(schema: Json, schemas: JsonObject, value: Json): Generator<Variant> {
  const seen = new Set<string>();
  const root: Part = { pointer: '', value, with: (replacement) => replacement };
  for (const variant of parts(schema, schemas, root, 0)) {
    const key = JSON.stringify(variant.value);
    if (seen.has(key)) continue;
    seen.add(key);
    yield variant;
  }
}

function* parts(schema: Json, schemas: JsonObject, part: Part, depth: number): Generator<Variant> {
  if (depth > MAX_DEPTH) return;
  const known = new Set<string>();
  for (let index = 0; index < ALTERNATIVES; index += 1) {
    const flat = flatten(schema, schemas, (all) => Math.min(index, all.length - 1));
    if (flat === false) continue;
    const text = JSON.stringify(flat);
    if (known.has(text)) return;
    known.add(text);
    yield* ofType(flat, part);
    yield* ofValues(flat, part);
    const { value } = part;
    if (typeof value === 'string') yield* ofText(flat, value, part);
    else if (typeof value === 'number') yield* ofNumber(flat, part);
    else if (Array.isArray(value)) yield* ofArray(flat, schemas, value, part, depth);
    else if (isObject(value)) yield* ofObject(flat, schemas, value, part, depth);
  }
}

function replaced(part: Part, replacement: Json, what: string): Variant {
  return { value: part.with(replacement), what: part.pointer === '' ? what : `${part.pointer}: ${what}` };
}

function* ofType(flat: JsonObject, part: Part): Generator<Variant> {
  const type = member(flat, 'type');
  if (type === undefined) return;
  const types = [type].flat();
  for (const value of OF_EACH_TYPE) {
    const name = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
    if (!types.includes(name)) yield replaced(part, value, `${name === 'number' ? '1.5' : name} as value`);
    else if (value === null) yield replaced(part, null, 'null');
  }
}

function* ofValues(flat: JsonObject, part: Part): Generator<Variant> {
  const values = member(flat, 'enum');
  if (Array.isArray(values)) {
    for (const value of values) yield replaced(part, value, `the value ${JSON.stringify(value)}`);
  }
  if (Array.isArray(values) || Object.hasOwn(flat, 'const')) {
    yield replaced(part, 'not-a-listed-value', 'a value that is not listed');
  }
}

function* ofText(flat: JsonObject, value: string, part: Part): Generator<Variant> {
  const filler = value === '' ? 'a' : value;
  const ofLength = (length: number): string => {
    if (lengthOf(value) >= length) return [...value].slice(0, length).join('');
    return [...filler.repeat(Math.ceil(length / lengthOf(filler)))].slice(0, length).join('');
  };
  const lengths = new Set<number>();
  for (const [keyword, outside] of [
    ['minLength', -1],
    ['maxLength', 1],
  ] as const) {
    const bound = member(flat, keyword);
    if (bound === undefined) continue;
    lengths.add(Number(bound)).add(Number(bound) + outside);
  }
  for (const length of lengths) {
    if (length < 0 || length > LONGEST) continue;
    yield replaced(part, ofLength(length), `${length} ${length === 1 ? 'character' : 'characters'}`);
    // Three bytes of UTF-8 each, but one UTF-16 unit: many validators count those.
    if (length > 0) yield replaced(part, '漢'.repeat(length), `${length} characters beyond ASCII`);
  }
  yield replaced(part, '', 'an empty text');
  const format = textOf(flat, 'format');
  if (format !== undefined) yield replaced(part, `not a ${format} !`, `not the format ${format}`);
  const pattern = textOf(flat, 'pattern');
  for (const other of pattern === undefined ? [] : [`${value}!`, `!${value}`, ' ', '漢']) {
    yield replaced(part, other, `not the pattern ${pattern}`);
  }
}

function* ofNumber(flat: JsonObject, part: Part): Generator<Variant> {
  const integer = [member(flat, 'type')].flat().includes('integer');
  const { min, max, step } = boundsOf(flat, integer);
  const distance = step === 0 ? 1 : step;
  for (const [bound, sign] of [
    [min, -1],
    [max, 1],
  ] as const) {
    if (!Number.isFinite(bound)) continue;
    yield replaced(part, bound, `the bound ${bound}`);
    yield replaced(part, bound + sign * distance, `${bound + sign * distance}, beyond the bound`);
  }
  yield replaced(part, 0, '0');
  for (const keyword of ['exclusiveMinimum', 'exclusiveMaximum']) {
    const bound = member(flat, keyword);
    if (bound !== undefined) yield replaced(part, Number(bound), `the excluded bound ${Number(bound)}`);
  }
  if (member(flat, 'multipleOf') !== undefined) {
    yield replaced(part, Number(part.value) + step / 2, `not a multiple of ${step}`);
  }
}

function* ofArray(
  flat: JsonObject,
  schemas: JsonObject,
  value: readonly Json[],
  part: Part,
  depth: number,
): Generator<Variant> {
  if (member(flat, 'uniqueItems') === true && value.length > 0) {
    yield replaced(part, [...value, value[0] ?? null], 'an item twice');
  }
  const ofCount = (count: number): Json[] =>
    Array.from({ length: count }, (_, index) => value[index % Math.max(1, value.length)] ?? null);
  for (const [keyword, outside] of [
    ['minItems', -1],
    ['maxItems', 1],
  ] as const) {
    const bound = member(flat, keyword);
    if (bound === undefined) continue;
    for (const count of [Number(bound), Number(bound) + outside]) {
      if (count >= 0 && count <= MOST_ITEMS) yield replaced(part, ofCount(count), `${count} items`);
    }
  }
  yield replaced(part, [], 'no items');
  const prefix = member(flat, 'prefixItems');
  for (const [index, item] of value.entries()) {
    const schema = (Array.isArray(prefix) ? prefix[index] : undefined) ?? member(flat, 'items') ?? true;
    const inner: Part = {
      pointer: `${part.pointer}/${index}`,
      value: item,
      with: (other) => part.with(value.with(index, other)),
    };
    yield* parts(schema, schemas, inner, depth + 1);
    // The other items have the same schema.
    if (!Array.isArray(prefix)) return;
  }
}

function* ofObject(
  flat: JsonObject,
  schemas: JsonObject,
  value: JsonObject,
  part: Part,
  depth: number,
): Generator<Variant> {
  const without = (name: string): JsonObject => {
    const { [name]: _, ...rest } = value;
    return rest;
  };
  for (const name of Object.keys(value)) yield replaced(part, without(name), `without ${name}`);
  yield replaced(part, { ...value, 'x-not-described': 'text' }, 'a member that is not described');
  const properties = member(flat, 'properties');
  const rest = member(flat, 'additionalProperties') ?? true;
  for (const [name, item] of Object.entries(value)) {
    const schema = (isObject(properties) ? member(properties, name) : undefined) ?? rest;
    const inner: Part = {
      pointer: part.pointer + pointerOf(name),
      value: item,
      with: (other) => part.with({ ...value, [name]: other }),
    };
    yield* parts(schema, schemas, inner, depth + 1);
  }
}
