/**
 * Types of JSON Schemas (2020-12), as TypeScript declarations.
 *
 * Written by hand, because the result is read by people and in editors: openapi-typescript refers
 * to every schema as `components["schemas"]["Task"]`, adds the types of all paths and operations,
 * and needs the compiler (24 MB). json-schema-to-typescript needs prettier, and has one type for
 * both directions of a component with `readOnly` members.
 */
import { isConvertedText } from '../../contract/index.ts';
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';
import type { Direction } from '../../openapi/index.ts';
import { blockOf, commentOf, keyOf, objectOf, quoted, unionOf } from './layout.ts';
import { TypeNames } from './type-names.ts';

/** Keyword of a schema made by this program: all members are optional. */
export const PARTIAL = '$partial';

/** One alternative of a union. A compound type needs parentheses inside other types. */
interface Part {
  readonly text: string;
  readonly compound?: boolean;
}

const UNKNOWN = 'unknown';
/** Types that a schema adds to another one without restricting it. */
const ANY_OBJECT = '{ [key: string]: unknown }';
const ANY_ARRAY = 'unknown[]';

/** Returns the types of schemas, and declares the components to which these refer. */
export class SchemaTypes {
  private readonly names: TypeNames;
  private readonly declared = new Map<string, string>();

  /** @param schemas `components.schemas` of the document. */
  constructor(private readonly schemas: JsonObject) {
    this.names = new TypeNames(schemas);
  }

  /** Returns the declarations of all components that were used, sorted by name. */
  declarations(): string[] {
    return [...this.declared].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  }

  /** Returns the type of a schema in event data (`request`) or in a reply (`response`). */
  of(schema: Json, direction: Direction): string {
    return joined(this.parts(schema, direction));
  }

  private parts(schema: Json, direction: Direction): Part[] {
    if (schema === false) return [{ text: 'never' }];
    if (!isObject(schema)) return [{ text: UNKNOWN }];
    const { [PARTIAL]: partial, ...whole } = schema;
    if (partial === true) return [{ text: `Partial<${this.of(whole, direction)}>` }];
    const ref = textOf(schema, '$ref');
    const all = ref === undefined ? [] : [[{ text: this.reference(ref, direction) }]];
    all.push(this.own(schema, direction));
    for (const one of listOf(schema, 'allOf')) all.push(this.parts(one, direction));
    for (const keyword of ['anyOf', 'oneOf']) {
      const alternatives = withoutConverted(listOf(schema, keyword));
      if (!alternatives.every(onlyRequires))
        all.push(union(alternatives.map((one) => this.parts(one, direction))));
    }
    return intersection(all);
  }

  private reference(ref: string, direction: Direction): string {
    const { component, name } = this.names.of(ref, direction);
    if (this.declared.has(name)) return name;
    // Declared before its members are read: the component may contain itself.
    this.declared.set(name, '');
    const schema = member(this.schemas, component) ?? true;
    const text =
      isObject(schema) && isPlainObject(schema)
        ? `interface ${name} ${blockOf(this.members(schema, direction))}`
        : `type ${name} = ${this.of(schema, direction)};`;
    this.declared.set(name, `${isObject(schema) ? notesOf(schema) : ''}export ${text}`);
    return name;
  }

  /** Returns the type without combined schemas and references. */
  private own(schema: JsonObject, direction: Direction): Part[] {
    const fixed = member(schema, 'const');
    if (fixed !== undefined) return [{ text: literal(fixed) }];
    const values = member(schema, 'enum');
    if (Array.isArray(values)) return union(values.map((value) => [{ text: literal(value) }]));
    return union(typesOf(schema).map((type) => [{ text: this.ofType(type, schema, direction) }]));
  }

  private ofType(type: string, schema: JsonObject, direction: Direction): string {
    if (type === 'object') return this.object(schema, direction);
    if (type === 'array') return this.array(schema, direction);
    return type === 'integer' ? 'number' : type;
  }

  private object(schema: JsonObject, direction: Direction): string {
    return objectOf(this.members(schema, direction));
  }

  private members(schema: JsonObject, direction: Direction): string[] {
    const properties = objectAt(schema, 'properties');
    const required = new Set(listOf(schema, 'required').map(String));
    const members = Object.entries(properties).map(([name, property]) => {
      const mark = required.has(name) && !this.names.isAbsent(property, direction) ? '' : '?';
      const notes = isObject(property) ? notesOf(property) : '';
      return `${notes}${keyOf(name)}${mark}: ${this.of(property, direction)}`;
    });
    for (const name of required) {
      if (!Object.hasOwn(properties, name)) members.push(`${keyOf(name)}: ${UNKNOWN}`);
    }
    const additional = member(schema, 'additionalProperties') ?? members.length === 0;
    const rest = [...Object.values(objectAt(schema, 'patternProperties')), additional];
    const type = joined(union(rest.map((one) => this.parts(one, direction))));
    if (members.length === 0) return [`[key: string]: ${type}`];
    // TypeScript requires that the type of an index signature includes those of the other members.
    return type === 'never' ? members : [...members, `[key: string]: ${UNKNOWN}`];
  }

  private array(schema: JsonObject, direction: Direction): string {
    const items = member(schema, 'items');
    const each = this.parts(items ?? true, direction);
    const list = `${each.length > 1 || each[0]?.compound ? `(${joined(each)})` : joined(each)}[]`;
    const prefix = listOf(schema, 'prefixItems');
    if (prefix.length === 0) return items === false ? '[]' : list;
    const least = Number(member(schema, 'minItems') ?? 0);
    const elements = prefix.map((item, at) => {
      const parts = this.parts(item, direction);
      if (at < least) return joined(parts);
      return parts.length > 1 || parts[0]?.compound ? `(${joined(parts)})?` : `${joined(parts)}?`;
    });
    const closed = items === false || Number(member(schema, 'maxItems') ?? Infinity) <= prefix.length;
    return `[${[...elements, ...(closed ? [] : [`...${list}`])].join(', ')}]`;
  }
}

/** Keywords that combine a schema with others, or replace its type. */
const COMBINING = ['$ref', 'allOf', 'anyOf', 'oneOf', 'const', 'enum'];

/** Returns whether a schema describes an object and is not combined with other schemas. */
export function isPlainObject(schema: JsonObject): boolean {
  const combined = COMBINING.filter((keyword) => Object.hasOwn(schema, keyword));
  return (
    typesOf(schema).join() === 'object' &&
    combined.every(
      (keyword) => ['anyOf', 'oneOf'].includes(keyword) && listOf(schema, keyword).every(onlyRequires),
    )
  );
}

/**
 * Whether a schema only requires or forbids members that its parent describes. A type that includes
 * such rules is hard to read.
 */
function onlyRequires(schema: Json): boolean {
  return isObject(schema) && Object.keys(schema).every((keyword) => ['required', 'not'].includes(keyword));
}

/** Whether the schema accepts text only because a worker converts it; callers need not send that. */
function isConverted(schema: Json): boolean {
  return isObject(schema) && isConvertedText(member(schema, 'pattern'));
}

/** The alternatives without text that a worker converts to a value of another one. */
function withoutConverted(alternatives: readonly Json[]): readonly Json[] {
  const others = alternatives.filter(
    (one) => !isConverted(one) || Array.isArray((one as JsonObject)['type']),
  );
  return others.length === 0 ? alternatives : others;
}

/** The types that a schema names, or else those that its keywords imply. */
function typesOf(schema: JsonObject): string[] {
  const type = member(schema, 'type');
  if (type !== undefined) {
    const types = (Array.isArray(type) ? type : [type]).map(String);
    return types.length > 1 && isConverted(schema) ? types.filter((one) => one !== 'string') : types;
  }
  const has = (...keywords: string[]) => keywords.some((keyword) => Object.hasOwn(schema, keyword));
  if (has('properties', 'required', 'additionalProperties', 'patternProperties')) return ['object'];
  return has('items', 'prefixItems') ? ['array'] : [UNKNOWN];
}

function union(alternatives: readonly Part[][]): Part[] {
  const parts = alternatives.flat().filter(({ text }) => text !== 'never');
  if (parts.some(({ text }) => text === UNKNOWN)) return [{ text: UNKNOWN }];
  return parts.length === 0 ? [{ text: 'never' }] : distinct(parts);
}

function intersection(all: readonly Part[][]): Part[] {
  const restricting = all.filter((parts) => joined(parts) !== UNKNOWN);
  const exact = restricting.filter((parts) => ![ANY_OBJECT, ANY_ARRAY].includes(joined(parts)));
  const [first = [{ text: UNKNOWN }], ...others] = exact.length > 0 ? exact : restricting;
  if (others.length === 0) return first;
  const texts = [first, ...others].map((parts) => (parts.length > 1 ? `(${joined(parts)})` : joined(parts)));
  const different = [...new Set(texts)];
  return different.length === 1 ? first : [{ text: different.join(' & '), compound: true }];
}

function distinct(parts: readonly Part[]): Part[] {
  return [...new Map(parts.map((part) => [part.text, part])).values()];
}

function joined(parts: readonly Part[]): string {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return only.text;
  return unionOf(parts.map(({ text, compound }) => (compound ? `(${text})` : text)));
}

function literal(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  // A double cannot represent such a number.
  if (value instanceof ExactNumber) return 'number';
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return objectOf(Object.entries(value).map(([name, one]) => `${keyOf(name)}: ${literal(one)}`));
}

function notesOf(schema: JsonObject): string {
  return commentOf(textOf(schema, 'description'), member(schema, 'deprecated') === true);
}

function listOf(schema: JsonObject, keyword: string): Json[] {
  const list = member(schema, keyword);
  return Array.isArray(list) ? list : [];
}

function objectAt(schema: JsonObject, keyword: string): JsonObject {
  const value = member(schema, keyword);
  return isObject(value) ? value : {};
}
