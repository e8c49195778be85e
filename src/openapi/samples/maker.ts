/** Makes one value from a schema. The caller validates it. */
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import type { Direction } from '../model/direction.ts';
import { flatten } from './flatten.ts';
import { numberOf } from './numbers.ts';
import type { Random } from './random.ts';
import { type Characters, textFor } from './texts.ts';

/**
 * What a value contains. `minimal`: required members only, and the first alternative. `full`: all
 * members. `random`: any of them.
 */
export type Extent = 'minimal' | 'full' | 'random';

type Type = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/** Options of {@link ValueMaker}. */
export interface MakerOptions {
  readonly random: Random;
  readonly extent: Extent;
  /** Members that this direction does not have are left out. */
  readonly direction: Direction | undefined;
  /** Whether examples and defaults of schemas take precedence over made values. */
  readonly examples: boolean;
  readonly characters: Characters;
}

/** The schema accepts no value, or none that is small enough. */
export class Unsatisfiable extends Error {}

/** Depth from which only required members are made, and from which the search ends. */
const SHALLOW = 5;
const DEEPEST = 24;

/** Number of values within one value from which only required members are made. */
const LARGE = 400;

/** Maximum number of items that a bound may demand. */
const MAX_ITEMS = 2000;

/** Members that are absent in a direction. */
const ABSENT = { request: 'readOnly', response: 'writeOnly' } as const;

export class ValueMaker {
  private count = 0;

  constructor(
    private readonly schemas: JsonObject,
    private readonly options: MakerOptions,
  ) {}

  /** @throws {Unsatisfiable} when the schema cannot be satisfied. */
  make(schema: Json, depth = 0): Json {
    if (depth > DEEPEST) throw new Unsatisfiable('nested too deeply');
    this.count += 1;
    const flat = this.flat(schema, depth);
    const given = this.given(flat);
    if (given !== undefined) return given;
    switch (this.typeOf(flat)) {
      case 'object':
        return this.object(flat, depth);
      case 'array':
        return this.array(flat, depth);
      case 'string':
        return this.text(flat);
      case 'integer':
        return this.number(flat, true);
      case 'number':
        return this.number(flat, false);
      case 'boolean':
        return this.options.extent !== 'random' || this.options.random.next() < 0.5;
      case 'null':
        return null;
    }
  }

  /** Returns the flattened schema. */
  flat(schema: Json, depth: number): JsonObject {
    const { random, extent } = this.options;
    const flat = flatten(schema, this.schemas, (alternatives) => {
      const usable = alternatives.findIndex((one) => !isObject(one) || one['type'] !== 'null');
      if (extent === 'random' && depth < SHALLOW) return random.integer(0, alternatives.length - 1);
      return Math.max(0, usable);
    });
    if (flat === false) throw new Unsatisfiable('the schema accepts no value');
    return flat;
  }

  /** Returns a value that the schema lists: a constant, an allowed value, or an example. */
  private given(flat: JsonObject): Json | undefined {
    const { random, extent, examples } = this.options;
    const constant = member(flat, 'const');
    if (constant !== undefined) return constant;
    const shown = member(flat, 'examples');
    if (examples && Array.isArray(shown) && shown.length > 0) return shown[0];
    const usual = member(flat, 'default');
    if (examples && usual !== undefined) return usual;
    const values = member(flat, 'enum');
    if (!Array.isArray(values)) return undefined;
    if (values.length === 0) throw new Unsatisfiable('no value is allowed');
    return extent === 'random' ? random.pick(values) : values[0];
  }

  private typeOf(flat: JsonObject): Type {
    const declared = member(flat, 'type');
    // Normalised documents have no other types.
    const types = (declared === undefined ? [inferred(flat)] : [declared].flat()) as Type[];
    if (types.length === 0) throw new Unsatisfiable('no type is allowed');
    const { random, extent } = this.options;
    if (extent === 'random') return random.pick(types);
    return types.find((type) => type !== 'null') ?? 'null';
  }

  private text(flat: JsonObject): string {
    const { random, extent, characters } = this.options;
    const text = textFor(flat, random, { short: extent === 'minimal', characters });
    if (text === undefined) throw new Unsatisfiable('no text has this pattern and length');
    return text;
  }

  private number(flat: JsonObject, integer: boolean): number {
    const value = numberOf(flat, integer, this.options.random);
    if (value === undefined) throw new Unsatisfiable('no number is within the bounds');
    return value;
  }

  private array(flat: JsonObject, depth: number): Json[] {
    const { random, extent } = this.options;
    const min = Number(member(flat, 'minItems') ?? member(flat, 'minContains') ?? 0);
    const max = Number(member(flat, 'maxItems') ?? Infinity);
    const prefix = member(flat, 'prefixItems');
    const tuple = Array.isArray(prefix) ? prefix : [];
    const contains = member(flat, 'contains');
    const wanted = extent === 'minimal' || depth > SHALLOW ? min : Math.max(min, random.integer(1, 3));
    const count = Math.min(max, Math.max(wanted, contains === undefined ? 0 : 1));
    if (count > MAX_ITEMS || min > max) throw new Unsatisfiable('too many items');
    const items = member(flat, 'items') ?? contains ?? true;
    const made: Json[] = [];
    const unique = member(flat, 'uniqueItems') === true;
    for (let tries = 0; made.length < count && tries < count * 10 + 10; tries += 1) {
      const schema = tuple[made.length] ?? (made.length === 0 && contains !== undefined ? contains : items);
      if (schema === false) break;
      const item = this.item(schema, depth, made.length < min);
      if (item === undefined) break;
      if (!unique || !made.some((one) => JSON.stringify(one) === JSON.stringify(item))) made.push(item);
    }
    return made;
  }

  /** Makes an item or optional member; undefined if it cannot be made and is not required. */
  private item(schema: Json, depth: number, required: boolean): Json | undefined {
    try {
      return this.make(schema, depth + 1);
    } catch (error) {
      if (required || !(error instanceof Unsatisfiable)) throw error;
      return undefined;
    }
  }

  private object(flat: JsonObject, depth: number): JsonObject {
    const properties = objectIn(flat, 'properties');
    const required = new Set([member(flat, 'required') ?? []].flat() as string[]);
    const made: JsonObject = {};
    const add = (name: string, schema: Json, isRequired: boolean): void => {
      const value = this.item(schema, depth, isRequired);
      if (value !== undefined) set(made, name, value);
    };
    for (const [name, schema] of Object.entries(properties)) {
      if (schema === false || this.isAbsent(schema)) continue;
      if (required.has(name) || this.wants(depth)) add(name, schema, required.has(name));
    }
    const rest = member(flat, 'additionalProperties') ?? true;
    for (const name of required) {
      if (!Object.hasOwn(properties, name)) add(name, rest, true);
    }
    this.dependencies(flat, made, (name) => add(name, member(properties, name) ?? rest, true));
    this.fill(flat, made, add);
    return made;
  }

  private dependencies(flat: JsonObject, made: JsonObject, add: (name: string) => void): void {
    for (const [name, needed] of Object.entries(objectIn(flat, 'dependentRequired'))) {
      if (!Object.hasOwn(made, name) || !Array.isArray(needed)) continue;
      for (const other of needed as string[]) if (!Object.hasOwn(made, other)) add(other);
    }
  }

  /** Adds members until there are as many as `minProperties` requires. */
  private fill(
    flat: JsonObject,
    made: JsonObject,
    add: (name: string, schema: Json, required: boolean) => void,
  ): void {
    const min = Number(member(flat, 'minProperties') ?? 0);
    if (min > MAX_ITEMS) throw new Unsatisfiable('too many members');
    const properties = objectIn(flat, 'properties');
    for (const [name, schema] of Object.entries(properties)) {
      if (Object.keys(made).length >= min) return;
      if (!Object.hasOwn(made, name) && !this.isAbsent(schema)) add(name, schema, false);
    }
    const rest = member(flat, 'additionalProperties') ?? true;
    const names = member(flat, 'propertyNames');
    // An object that maps any name to a value of one kind is more useful with one of them.
    const isMap = isObject(rest) && Object.keys(properties).length === 0 && this.options.extent === 'full';
    for (let index = 1; index <= min + 5; index += 1) {
      if (Object.keys(made).length >= Math.max(min, isMap ? 1 : 0) || rest === false) return;
      const name = names === undefined ? `name${index}` : this.make(names, 1);
      if (typeof name === 'string') add(name, rest, false);
    }
  }

  /** Whether an optional member is made. */
  private wants(depth: number): boolean {
    const { random, extent } = this.options;
    if (extent === 'minimal' || depth > SHALLOW || this.count > LARGE) return false;
    return extent === 'full' || random.next() < 0.5;
  }

  private isAbsent(schema: Json): boolean {
    const { direction } = this.options;
    if (direction === undefined || !isObject(schema)) return false;
    if (member(schema, ABSENT[direction]) === true) return true;
    const ref = textOf(schema, '$ref');
    const flat = ref === undefined ? false : flatten(schema, this.schemas, () => 0);
    return flat !== false && member(flat, ABSENT[direction]) === true;
  }
}

const OBJECT = ['properties', 'required', 'additionalProperties', 'minProperties', 'patternProperties'];
const ARRAY = ['items', 'prefixItems', 'minItems', 'contains', 'uniqueItems'];
const NUMBER = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];

/** The type that the keywords of a schema without `type` are about. */
function inferred(flat: JsonObject): Type {
  const has = (keywords: readonly string[]): boolean => keywords.some((one) => Object.hasOwn(flat, one));
  if (has(OBJECT)) return 'object';
  if (has(ARRAY)) return 'array';
  return has(NUMBER) ? 'number' : 'string';
}

function objectIn(schema: JsonObject, name: string): JsonObject {
  const value = member(schema, name);
  return isObject(value) ? value : {};
}

/** Sets a member of any name, `__proto__` included. */
function set(object: JsonObject, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}
