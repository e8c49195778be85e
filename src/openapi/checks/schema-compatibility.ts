/**
 * Decides whether a schema accepts every value that another one accepts. The answer is only
 * positive if that is certain: a keyword that this file does not know must be the same on both
 * sides.
 *
 * The first schema makes no promise about members that it does not describe, so the second one may
 * describe them.
 */
import { canonical, isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { nameOfRef } from '../model/component-reference.ts';
import { ANNOTATIONS } from '../model/schema.ts';

/** A schema, and the components that its references point to. */
export interface SchemaSide {
  readonly schema: Json;
  readonly schemas: JsonObject;
}

/** Options of a comparison. */
export interface SchemaComparison {
  /** Whether the second schema may omit members that the first one describes. */
  readonly ignoresMembers: boolean;
}

/** Keywords that set a lower or an upper bound. */
const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];

/** Keywords that are compared individually. All others must be the same on both sides. */
const COMPARED: ReadonlySet<string> = new Set([
  ...LOWER_BOUNDS,
  ...UPPER_BOUNDS,
  ...[
    '$ref',
    'type',
    'enum',
    'const',
    'required',
    'properties',
    'additionalProperties',
    'items',
    'allOf',
    'anyOf',
  ],
]);

/**
 * Returns why a schema does not accept every value that another one accepts, or undefined if it
 * does.
 *
 * @param from the schema whose values `to` must accept.
 */
export function rejectedValues(
  from: SchemaSide,
  to: SchemaSide,
  options: SchemaComparison,
): string | undefined {
  return new Comparer(from.schemas, to.schemas, options).rejection(from.schema, to.schema, '');
}

class Comparer {
  /** Pairs of references being compared; schemas may refer to themselves. */
  private readonly open = new Set<string>();

  constructor(
    private readonly fromSchemas: JsonObject,
    private readonly toSchemas: JsonObject,
    private readonly options: SchemaComparison,
  ) {}

  rejection(from: Json, to: Json, location: string): string | undefined {
    const pair = `${refOf(from)} ${refOf(to)}`;
    if (pair !== ' ') {
      if (this.open.has(pair)) return undefined;
      this.open.add(pair);
    }
    const reason = this.compare(followed(from, this.fromSchemas), followed(to, this.toSchemas), location);
    if (reason !== undefined) this.open.delete(pair);
    return reason;
  }

  private compare(from: Json, to: Json, location: string): string | undefined {
    if (to === true || from === false) return undefined;
    if (!isObject(to)) return at(location, 'no value is accepted');
    const before = isObject(from) ? from : {};
    return (
      this.values(before, to, location) ??
      this.bounds(before, to, location) ??
      this.members(before, to, location) ??
      this.parts(before, to, location) ??
      this.rest(before, to, location)
    );
  }

  /** Compares `type`, `enum` and `const`. */
  private values(from: JsonObject, to: JsonObject, location: string): string | undefined {
    const allowed = valuesOf(to);
    const known = valuesOf(from);
    if (allowed !== undefined) {
      const missing = known === undefined ? 'any value' : known.find((value) => !allowed.includes(value));
      if (missing !== undefined) return at(location, `${missing} is not among the values that are accepted`);
    }
    const types = typesOf(to);
    if (types === undefined) return undefined;
    const missing = typesOf(from)?.find((type) => !types.includes(type));
    if (typesOf(from) !== undefined && missing === undefined) return undefined;
    return at(location, `a value of type ${missing ?? 'any'} is not accepted`);
  }

  private bounds(from: JsonObject, to: JsonObject, location: string): string | undefined {
    const tighter = (keyword: string, sign: 1 | -1): boolean => {
      const bound = member(to, keyword);
      const before = member(from, keyword);
      if (bound === undefined || (keyword.startsWith('min') && bound === 0 && keyword !== 'minimum'))
        return false;
      return typeof bound !== 'number' || typeof before !== 'number' || sign * (before - bound) < 0;
    };
    const keyword =
      LOWER_BOUNDS.find((one) => tighter(one, 1)) ?? UPPER_BOUNDS.find((one) => tighter(one, -1));
    return keyword && at(location, `${keyword} is tighter`);
  }

  private members(from: JsonObject, to: JsonObject, location: string): string | undefined {
    const required = namesIn(from, 'required');
    const newlyRequired = namesIn(to, 'required').find((name) => !required.includes(name));
    if (newlyRequired !== undefined) return at(location, `the member ${newlyRequired} is required`);
    const known = objectIn(from, 'properties');
    const described = objectIn(to, 'properties');
    const others = member(from, 'additionalProperties') ?? true;
    const rest = member(to, 'additionalProperties') ?? true;
    for (const [name, schema] of Object.entries(described)) {
      const before = member(known, name) ?? (isObject(others) ? others : undefined);
      const reason = before === undefined ? undefined : this.rejection(before, schema, `${location}/${name}`);
      if (reason !== undefined) return reason;
    }
    if (this.options.ignoresMembers) return undefined;
    for (const [name, schema] of Object.entries(known)) {
      if (Object.hasOwn(described, name) || schema === false) continue;
      if (rest === false) return at(location, `the member ${name} is not accepted`);
      const reason = this.rejection(schema, rest, `${location}/${name}`);
      if (reason !== undefined) return reason;
    }
    if (others === false) return undefined;
    if (rest === false) return at(location, 'members that are not described are not accepted');
    return this.rejection(others, rest, `${location}/*`);
  }

  /** Compares `items`, `allOf` and `anyOf`. */
  private parts(from: JsonObject, to: JsonObject, location: string): string | undefined {
    const items = member(to, 'items');
    if (items !== undefined) {
      const reason = this.rejection(member(from, 'items') ?? true, items, `${location}/[]`);
      if (reason !== undefined) return reason;
    }
    const { allOf: _, ...bare } = from;
    const all = [bare, ...listIn(from, 'allOf')];
    for (const part of listIn(to, 'allOf')) {
      const reasons = all.map((one) => this.rejection(one, part, location));
      if (!reasons.includes(undefined)) return reasons.at(-1);
    }
    const choices = listIn(to, 'anyOf');
    if (choices.length === 0) return undefined;
    const alternatives = listIn(from, 'anyOf');
    for (const one of alternatives.length > 0 ? alternatives : [from]) {
      const reasons = choices.map((choice) => this.rejection(one, choice, location));
      if (!reasons.includes(undefined)) return reasons[0];
    }
    return undefined;
  }

  /** Compares all other keywords. Keywords that only `from` has make it narrower. */
  private rest(from: JsonObject, to: JsonObject, location: string): string | undefined {
    for (const [keyword, value] of Object.entries(to)) {
      if (COMPARED.has(keyword) || ANNOTATIONS.has(keyword) || keyword.startsWith('x-')) continue;
      const before = member(from, keyword);
      if (before === undefined || canonical(before) !== canonical(value) || hasReference(value))
        return at(location, `${keyword} differs`);
    }
    // The second schema would treat members that the first one describes in `patternProperties`
    // as additional members.
    const patterns = member(from, 'patternProperties') !== undefined;
    return patterns && member(to, 'patternProperties') === undefined
      ? at(location, 'patternProperties differs')
      : undefined;
  }
}

function at(location: string, reason: string): string {
  return location === '' ? reason : `${location} ${reason}`;
}

function refOf(schema: Json): string {
  return (isObject(schema) ? textOf(schema, '$ref') : undefined) ?? '';
}

/** Follows the references of a schema; keywords next to a reference are kept. */
function followed(schema: Json, schemas: JsonObject): Json {
  let found = schema;
  for (let hops = 0; hops < 1000 && isObject(found) && typeof found['$ref'] === 'string'; hops += 1) {
    const { $ref: ref, ...beside }: JsonObject = found;
    const target: Json = member(schemas, nameOfRef(String(ref))) ?? true;
    const plain = Object.keys(beside).every((keyword) => ANNOTATIONS.has(keyword));
    found = plain ? target : { ...beside, allOf: [...listIn(beside, 'allOf'), target] };
  }
  return found;
}

/** Returns the allowed values as canonical text, or undefined if the schema does not list them. */
function valuesOf(schema: JsonObject): string[] | undefined {
  const constant = member(schema, 'const');
  if (constant !== undefined) return [canonical(constant)];
  const values = member(schema, 'enum');
  return Array.isArray(values) ? values.map(canonical) : undefined;
}

/** Returns the allowed types, or undefined if every type is allowed. Every integer is a number. */
function typesOf(schema: JsonObject): string[] | undefined {
  const type = member(schema, 'type');
  if (type === undefined) return undefined;
  const types = (Array.isArray(type) ? type : [type]).map(String);
  return types.includes('number') ? [...types, 'integer'] : types;
}

function namesIn(schema: JsonObject, name: string): string[] {
  return listIn(schema, name).filter((item) => typeof item === 'string');
}

function listIn(schema: JsonObject, name: string): Json[] {
  const list = member(schema, name);
  return Array.isArray(list) ? list : [];
}

function objectIn(schema: JsonObject, name: string): JsonObject {
  const object = member(schema, name);
  return isObject(object) ? object : {};
}

/**
 * Returns whether a value refers to components. Components of the same name may differ on the two
 * sides.
 */
function hasReference(value: Json): boolean {
  return JSON.stringify(value).includes('"$ref"');
}
