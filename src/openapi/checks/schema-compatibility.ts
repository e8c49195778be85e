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
import { SameSchemas } from './same-schemas.ts';

/** A schema, and the components that its references point to. */
export interface SchemaSide {
  readonly schema: Json;
  readonly schemas: JsonObject;
}

/** Options of a comparison. */
export interface SchemaComparison {
  /** Whether the second schema may omit members that the first one describes. */
  readonly ignoresMembers: boolean;
  /**
   * Whether `oneOf` is compared like `anyOf`, and members that only one side describes are listed
   * too. The answer is then what a reader of the documents expects, and not certain.
   *
   * @defaultValue false
   */
  readonly asRead?: boolean;
}

/**
 * What keeps a value of the first schema from conforming to the second one. `undescribed`: nothing
 * does, but the side that receives the value does not describe a member, or (with `ignoresMembers`)
 * the side that sends it.
 */
export type RejectionRule =
  | 'nothing'
  | 'value'
  | 'values'
  | 'type'
  | 'bound'
  | 'required'
  | 'member'
  | 'keyword'
  | 'undescribed';

/** A difference due to which the second schema rejects values of the first one. */
export interface Rejection {
  readonly rule: RejectionRule;
  /** Location in the value: `/tags/[]` is an item of `tags`, `/*` a member that is not described. */
  readonly location: string;
  readonly reason: string;
  /** Whether the first schema has the keyword as well, with another value. */
  readonly isChange: boolean;
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
  for (const { location, reason } of rejections(from, to, options)) return at(location, reason);
  return undefined;
}

/** Yields each difference due to which `to` rejects values that `from` accepts. */
export function* rejections(
  from: SchemaSide,
  to: SchemaSide,
  options: SchemaComparison,
): Generator<Rejection> {
  yield* new Comparer(from.schemas, to.schemas, options).rejections(from.schema, to.schema, '');
}

class Comparer {
  /** Pairs of references being compared; schemas may refer to themselves. */
  private readonly open = new Set<string>();
  private readonly same: SameSchemas;

  constructor(
    private readonly fromSchemas: JsonObject,
    private readonly toSchemas: JsonObject,
    private readonly options: SchemaComparison,
  ) {
    this.same = SameSchemas.of(fromSchemas, toSchemas);
  }

  *rejections(from: Json, to: Json, location: string): Generator<Rejection> {
    if (this.options.asRead === true && this.same.test(from, to)) return;
    const pair = `${refOf(from)} ${refOf(to)}`;
    if (pair !== ' ') {
      if (this.open.has(pair)) return;
      this.open.add(pair);
    }
    let found = false;
    const [before, after] = [followed(from, this.fromSchemas), followed(to, this.toSchemas)];
    try {
      for (const one of this.compare(before, after, location)) {
        found = true;
        yield one;
      }
    } finally {
      // Also when the caller stops at the first one.
      if (found) this.open.delete(pair);
    }
  }

  private *compare(from: Json, to: Json, location: string): Generator<Rejection> {
    if (to === true || from === false) return;
    if (!isObject(to)) {
      yield rejection('nothing', location, 'no value is accepted');
      return;
    }
    const before = isObject(from) ? from : {};
    yield* valuesRejected(before, to, location);
    yield* boundsRejected(before, to, location);
    yield* this.members(before, to, location);
    yield* this.parts(before, to, location);
    yield* this.rest(before, to, location);
  }

  private accepts(from: Json, to: Json, location: string): boolean {
    const found = this.rejections(from, to, location);
    const { done } = found.next();
    found.return(undefined);
    return done === true;
  }

  private *members(from: JsonObject, to: JsonObject, location: string): Generator<Rejection> {
    const { asRead, ignoresMembers } = this.options;
    const required = namesIn(from, 'required');
    for (const name of namesIn(to, 'required')) {
      if (!required.includes(name))
        yield rejection('required', location, `the member ${name} is required`, false);
    }
    const known = objectIn(from, 'properties');
    const described = objectIn(to, 'properties');
    const others = member(from, 'additionalProperties') ?? true;
    const rest = member(to, 'additionalProperties') ?? true;
    for (const [name, schema] of Object.entries(described)) {
      const before = member(known, name) ?? (isObject(others) ? others : undefined);
      if (before !== undefined) yield* this.rejections(before, schema, `${location}/${name}`);
      else if (asRead === true && ignoresMembers && !namesIn(to, 'required').includes(name))
        yield rejection('undescribed', `${location}/${name}`, 'is described on one side only');
    }
    if (ignoresMembers) return;
    for (const [name, schema] of Object.entries(known)) {
      if (Object.hasOwn(described, name) || schema === false) continue;
      if (rest === false) yield rejection('member', location, `the member ${name} is not accepted`);
      else if (asRead === true)
        yield rejection('undescribed', `${location}/${name}`, 'is described on one side only');
      else yield* this.rejections(schema, rest, `${location}/${name}`);
    }
    if (others === false) return;
    if (rest === false)
      yield rejection('member', location, 'members that are not described are not accepted');
    else yield* this.rejections(others, rest, `${location}/*`);
  }

  /** Compares `items`, `allOf` and `anyOf`. */
  private *parts(from: JsonObject, to: JsonObject, location: string): Generator<Rejection> {
    const items = member(to, 'items');
    if (items !== undefined) yield* this.rejections(member(from, 'items') ?? true, items, `${location}/[]`);
    const { allOf: _, ...bare } = from;
    const all = [bare, ...listIn(from, 'allOf')];
    for (const part of listIn(to, 'allOf')) {
      const accepted = all.some((one) => this.accepts(one, part, location));
      if (!accepted) yield* this.rejections(all.at(-1) ?? true, part, location);
    }
    yield* this.union(from, to, 'anyOf', location);
    if (this.options.asRead === true) yield* this.union(from, to, 'oneOf', location);
  }

  private *union(
    from: JsonObject,
    to: JsonObject,
    keyword: 'anyOf' | 'oneOf',
    location: string,
  ): Generator<Rejection> {
    const choices = listIn(to, keyword);
    if (choices.length === 0) return;
    const alternatives = listIn(from, keyword);
    for (const one of alternatives.length > 0 ? alternatives : [from]) {
      if (choices.some((choice) => this.accepts(one, choice, location))) continue;
      // The nearest alternative is the one in the same place.
      const nearest = choices[Math.max(0, alternatives.indexOf(one))] ?? choices[0] ?? true;
      yield* this.rejections(one, this.options.asRead === true ? nearest : (choices[0] ?? true), location);
    }
  }

  /** Compares all other keywords. Keywords that only `from` has make it narrower. */
  private *rest(from: JsonObject, to: JsonObject, location: string): Generator<Rejection> {
    for (const [keyword, value] of Object.entries(to)) {
      if (COMPARED.has(keyword) || ANNOTATIONS.has(keyword) || keyword.startsWith('x-')) continue;
      if (keyword === 'oneOf' && this.options.asRead === true) continue;
      const before = member(from, keyword);
      if (before === undefined) yield rejection('keyword', location, `${keyword} differs`);
      else if (!this.same.keyword(keyword, before, value))
        yield rejection('keyword', location, `${keyword} differs`, true);
    }
    // The second schema would treat members that the first one describes in `patternProperties`
    // as additional members.
    const patterns = member(from, 'patternProperties') !== undefined;
    if (patterns && member(to, 'patternProperties') === undefined)
      yield rejection('keyword', location, 'patternProperties differs');
  }
}

/** Compares `type`, `enum` and `const`. */
function* valuesRejected(from: JsonObject, to: JsonObject, location: string): Generator<Rejection> {
  const allowed = valuesOf(to);
  const known = valuesOf(from);
  if (allowed !== undefined && known === undefined) {
    yield rejection('values', location, 'any value is not among the values that are accepted');
  }
  for (const value of allowed === undefined ? [] : (known ?? [])) {
    if (allowed?.includes(value) === true) continue;
    yield rejection('value', location, `${value} is not among the values that are accepted`);
  }
  const types = typesOf(to);
  if (types === undefined) return;
  const before = typesOf(from);
  if (before === undefined) {
    yield rejection('type', location, 'a value of type any is not accepted');
    return;
  }
  for (const type of before) {
    if (!types.includes(type))
      yield rejection('type', location, `a value of type ${type} is not accepted`, true);
  }
}

function* boundsRejected(from: JsonObject, to: JsonObject, location: string): Generator<Rejection> {
  for (const keyword of [...LOWER_BOUNDS, ...UPPER_BOUNDS]) {
    const bound = member(to, keyword);
    const before = member(from, keyword);
    if (bound === undefined || (keyword.startsWith('min') && bound === 0 && keyword !== 'minimum')) continue;
    const sign = LOWER_BOUNDS.includes(keyword) ? 1 : -1;
    const isTighter = typeof bound !== 'number' || typeof before !== 'number' || sign * (before - bound) < 0;
    if (isTighter) yield rejection('bound', location, `${keyword} is tighter`, before !== undefined);
  }
}

function rejection(rule: RejectionRule, location: string, reason: string, isChange = false): Rejection {
  return { rule, location, reason, isChange };
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
