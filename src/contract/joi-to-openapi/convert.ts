/**
 * Converts one Joi description to JSON Schema 2020-12.
 *
 * The schema is never stricter than Joi: it accepts whatever Joi accepts. Rules that it cannot
 * express go into its description. Joi converts values before it validates them (text to numbers,
 * trimming), so the schema also accepts what Joi converts.
 */
import { fileSchemaOf } from '../form-file-schema.ts';
import { type JsonObject } from '../json.ts';
import { annotate } from './annotate.ts';
import { convertArray } from './array.ts';
import { allOf, anyOf, NOTHING, orNull, passesAll } from './build.ts';
import type { Conversion, Mode, Scope, Sketch } from './conversion.ts';
import { type Described, type DescribedMatch, variantsOf } from './described.ts';
import { convertObject } from './object.ts';
import { convertBinary, convertBoolean, convertDate, convertNumber } from './scalars.ts';
import { convertString, isTransformed, isTrimmedForEmpty, mayVanish } from './string.ts';
import { invalidSchema, literalSchemas, literalsOf } from './values.ts';

export class Converter implements Conversion {
  readonly mode: Mode;
  /** Schemas that links refer to, by name. */
  readonly definitions: Record<string, JsonObject> = {};
  private readonly names = new Map<Described, string>();

  constructor(mode: Mode) {
    this.mode = mode;
  }

  /** Converts a description. */
  convert(described: Described, outer: Scope, key?: string): JsonObject {
    const scope: Scope = {
      around: [{ described, key }, ...outer.around],
      preferences: { ...outer.preferences, ...described.preferences },
    };
    const file = fileSchemaOf(described.metas);
    if (file !== undefined) return annotate({ schema: file, notes: [] }, described, this.mode);
    return annotate(this.sketch(described, scope), described, this.mode);
  }

  private sketch(described: Described, scope: Scope): Sketch {
    if (described.whens === undefined) return this.decided(described, scope);
    const variants = variantsOf(described);
    const note = 'Depends on other values.';
    if (variants === undefined) return { schema: {}, notes: [note] };
    const sketches = variants.map((variant) => this.decided(variant, scope));
    const notes = new Set(sketches.flatMap((sketch) => sketch.notes));
    return { schema: anyOf(sketches.map(({ schema }) => schema)), notes: [...notes, note] };
  }

  /** Converts a description without `when`. */
  private decided(described: Described, scope: Scope): Sketch {
    const { flags = {} } = described;
    if (flags.failover !== undefined) {
      return { schema: {}, notes: ['A value that does not fit is replaced by another.'] };
    }
    const literals = literalsOf(described.allow);
    const sketch: Sketch =
      flags.presence === 'forbidden'
        ? { schema: { ...NOTHING }, notes: [] }
        : flags.only === true
          ? this.only(described, scope)
          : this.typed(described, scope);
    if (flags.presence !== 'forbidden') this.refuseInvalid(sketch, described, scope);
    if (flags.presence !== 'forbidden' && flags.only !== true) this.allow(sketch, described, scope, literals);
    if (flags.empty !== undefined) this.allowEmpty(sketch, described, scope, flags.empty);
    return sketch;
  }

  private only(described: Described, scope: Scope): Sketch {
    const literals = literalsOf(described.allow);
    if (literals.dynamic)
      return { schema: {}, notes: ['Must be one of the values that another value gives.'] };
    return {
      schema: anyOf(literalSchemas(literals.values, described, this.mode, scope.preferences)),
      notes: [],
    };
  }

  private typed(described: Described, scope: Scope): Sketch {
    switch (described.type) {
      case 'string':
        return convertString(described, scope, this.mode);
      case 'number':
        return convertNumber(described, scope, this.mode);
      case 'boolean':
        return convertBoolean(described, scope, this.mode);
      case 'date':
        return convertDate(described, this.mode);
      case 'binary':
        return convertBinary(described, this.mode);
      case 'object':
        return convertObject(this, described, scope);
      case 'array':
        return convertArray(this, described, scope);
      case 'alternatives':
        return this.alternatives(described, scope);
      case 'link':
        return this.link(described, scope);
      case 'bigint':
        // An extension of Joi, which docs/framework/large-integers.md shows.
        return { schema: { type: 'integer' }, notes: [] };
      default:
        // `any`, types without a JSON equivalent, and types of extensions.
        return { schema: {}, notes: [] };
    }
  }

  private refuseInvalid(sketch: Sketch, described: Described, scope: Scope): void {
    const { invalid, flags = {} } = described;
    if (invalid === undefined) return;
    const changed = flags.empty !== undefined || described.type === 'date' || isTransformed(described, scope);
    const rejected = changed ? undefined : invalidSchema(invalid, described);
    if (rejected === undefined) sketch.notes.push('Some values are not allowed.');
    else sketch.schema = allOf([sketch.schema, { not: rejected }]);
  }

  private allow(
    sketch: Sketch,
    described: Described,
    scope: Scope,
    literals: ReturnType<typeof literalsOf>,
  ): void {
    if (literals.dynamic) {
      sketch.schema = {};
      sketch.notes.push('The value that another value gives is allowed, too.');
      return;
    }
    let values = literals.values;
    if (values.includes('') && described.type === 'string' && isBare(sketch.schema)) {
      delete sketch.schema['minLength'];
      values = values.filter((value) => value !== '');
    }
    if (passesAll(sketch.schema) || values.length === 0) return;
    const more = literalSchemas(
      values.filter((value) => value !== null),
      described,
      this.mode,
      scope.preferences,
    );
    sketch.schema = more.length === 0 ? sketch.schema : anyOf([sketch.schema, ...more]);
    if (values.includes(null)) sketch.schema = orNull(sketch.schema);
  }

  /** Values that count as undefined. Joi compares them after trimming and other changes. */
  private allowEmpty(sketch: Sketch, described: Described, scope: Scope, empty: Described): void {
    if (passesAll(sketch.schema)) return;
    const values = literalsOf(empty.allow).values;
    const blank =
      isTrimmedForEmpty(described) || (described.type === 'string' && isTransformed(described, scope));
    const schema = this.convert(empty, { around: scope.around, preferences: {} });
    const nothing = empty.flags?.only === true && values.every((value) => value === '' || value === null);
    const spaced = !blank ? [] : nothing && !mayVanish(described, scope) ? [SPACES] : [{ type: 'string' }];
    const { title: _title, description: _description, ...plain } = schema;
    if (values.length === 1 && values[0] === '' && !blank && isBare(sketch.schema)) {
      delete sketch.schema['minLength'];
      return;
    }
    sketch.schema = anyOf([sketch.schema, plain, ...spaced]);
  }

  private alternatives(described: Described, scope: Scope): Sketch {
    const matches = described.matches ?? [];
    const schemas = matches.flatMap(schemasOf).map((one) => this.convert(one, scope));
    if (schemas.length === 0) return { schema: {}, notes: [] };
    const match = described.flags?.match;
    if (match === 'all') return { schema: allOf(schemas), notes: [] };
    const conditional = matches.some(({ schema }) => schema === undefined);
    const notes: string[] = [];
    if (match === 'one') notes.push('Must match exactly one of the alternatives.');
    if (conditional) notes.push('Which of the alternatives holds depends on other values.');
    return { schema: anyOf(schemas), notes };
  }

  private link(described: Described, scope: Scope): Sketch {
    const target = linked(described, scope);
    if (target === undefined) return { schema: {}, notes: ['Refers to another schema.'] };
    let name = this.names.get(target.described);
    if (name === undefined) {
      name = this.freeName(target);
      this.names.set(target.described, name);
      const { described: found, outer, key } = target;
      this.definitions[name] = this.convert(found, outer, key);
    }
    return { schema: { $ref: `#/$defs/${name}` }, notes: [] };
  }

  private freeName({ described, key }: Target): string {
    const wanted = (described.flags?.id ?? key ?? described.flags?.label ?? 'root').replace(
      /[^A-Za-z0-9._-]+/g,
      '_',
    );
    const taken = new Set(this.names.values());
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted}_${count}`;
    return name;
  }
}

/** Text that is empty after trimming. */
const SPACES: JsonObject = { type: 'string', pattern: '^\\s*$' };

/** Whether a schema accepts any text except empty text. */
function isBare(schema: JsonObject): boolean {
  if (schema['minLength'] !== 1) return false;
  return Object.keys(schema).every((keyword) => ['type', 'minLength', 'maxLength'].includes(keyword));
}

function schemasOf({ schema, then, otherwise, switch: tests }: DescribedMatch): Described[] {
  const all = [schema, then, otherwise, ...(tests ?? []).flatMap((test) => [test.then, test.otherwise])];
  return all.filter((one) => one !== undefined);
}

/** Target of a link, and its position. */
interface Target {
  readonly described: Described;
  readonly outer: Scope;
  readonly key: string | undefined;
}

function linked(described: Described, scope: Scope): Target | undefined {
  const ref = described.link?.ref;
  const path = ref?.path ?? [];
  if (ref?.type === 'local') {
    for (const [index, { described: candidate, key }] of scope.around.entries()) {
      if ((candidate.flags?.id ?? key) === path[0]) return followPath(targetAt(scope, index), path.slice(1));
      const shared = candidate.shared?.find((one) => one.flags?.id === path[0]);
      if (shared !== undefined) {
        const outer = { ...scope, around: scope.around.slice(index) };
        return followPath({ described: shared, outer, key: undefined }, path.slice(1));
      }
    }
    return undefined;
  }
  const index = ref?.ancestor === 'root' ? scope.around.length - 1 : ref?.ancestor;
  return index === undefined || index >= scope.around.length
    ? undefined
    : followPath(targetAt(scope, index), path);
}

function targetAt(scope: Scope, index: number): Target | undefined {
  const found = scope.around[index];
  if (found === undefined) return undefined;
  return { ...found, outer: { ...scope, around: scope.around.slice(index + 1) } };
}

function followPath(target: Target | undefined, path: readonly string[]): Target | undefined {
  const [name, ...rest] = path;
  if (target === undefined || name === undefined) return target;
  const { described, outer, key } = target;
  const inner = Object.entries(described.keys ?? {}).find(
    ([own, child]) => (child.flags?.id ?? own) === name,
  );
  if (inner === undefined) return undefined;
  const around = [{ described, key }, ...outer.around];
  return followPath({ described: inner[1], outer: { ...outer, around }, key: inner[0] }, rest);
}
