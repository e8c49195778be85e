/**
 * Splits JSON Schemas: definitions into components, and the fields of an object for their HTTP
 * locations.
 */
import { ContractError } from './errors.ts';
import type { ConvertedSchema } from './joi-to-openapi/index.ts';
import { isObject, type Json, type JsonObject, member } from './json.ts';
import { transform } from './shapes.ts';

/** `components.schemas` of a contract. */
export class Definitions {
  readonly schemas: JsonObject = {};

  /** Adds the definitions of a schema; returns the schema with references to the components. */
  take(prefix: string, { schema, definitions }: ConvertedSchema): JsonObject {
    const names = new Map<string, string>();
    for (const name of Object.keys(definitions))
      names.set(`#/$defs/${escapePart(name)}`, this.freeName(`${prefix}.${name}`));
    const rootName = refersToRoot(schema, definitions) ? this.freeName(prefix) : undefined;
    if (rootName !== undefined) names.set('#', rootName);
    const renamed = (one: JsonObject): JsonObject => {
      const hooks = { reference: (_kind: string, ref: string) => this.rename(names, ref) };
      return transform('schema', one, '', hooks) as JsonObject;
    };
    for (const [name, definition] of Object.entries(definitions)) {
      this.schemas[names.get(`#/$defs/${escapePart(name)}`) ?? name] = renamed(definition);
    }
    const root = renamed(schema);
    if (rootName === undefined) return root;
    this.schemas[rootName] = root;
    return { $ref: `#/components/schemas/${rootName}` };
  }

  /** Resolves a reference to a component. */
  follow(schema: Json): JsonObject {
    let followed: Json = schema;
    for (let hops = 0; hops < 100 && isObject(followed) && typeof followed['$ref'] === 'string'; hops += 1) {
      const { $ref: ref, ...beside }: JsonObject = followed;
      const target: Json | undefined = member(this.schemas, String(ref).replace('#/components/schemas/', ''));
      followed = isObject(target) ? { ...target, ...beside } : beside;
    }
    return isObject(followed) ? followed : {};
  }

  private rename(names: ReadonlyMap<string, string>, ref: string): string {
    const name = names.get(ref);
    if (name === undefined) throw new ContractError(`its schema refers to ${ref}, which does not exist`);
    return `#/components/schemas/${name}`;
  }

  private freeName(wanted: string): string {
    const plain = wanted.replace(/[^A-Za-z0-9._-]+/g, '_');
    let name = plain;
    for (let count = 2; Object.hasOwn(this.schemas, name); count += 1) name = `${plain}_${count}`;
    this.schemas[name] = {};
    return name;
  }
}

function escapePart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function refersToRoot(schema: JsonObject, definitions: ConvertedSchema['definitions']): boolean {
  let found = false;
  const reference = (_kind: string, ref: string): string => {
    found ||= ref === '#';
    return ref;
  };
  for (const one of [schema, ...Object.values(definitions)]) transform('schema', one, '', { reference });
  return found;
}

/** A field of an object schema. */
export interface Field {
  /** Schemas of its values, of which one must match; several for alternatives. */
  readonly schemas: Json[];
  /** Whether it is required in every alternative. */
  required: boolean;
}

/** The fields that an object schema mentions. */
export function fieldsOf(schema: JsonObject, definitions: Definitions): Map<string, Field> {
  const fields = new Map<string, Field>();
  const visit = (one: JsonObject, certain: boolean, depth: number, known: ReadonlySet<string>): void => {
    const object = definitions.follow(one);
    const required = (member(object, 'required') ?? []) as Json[];
    for (const [name, property] of Object.entries((member(object, 'properties') ?? {}) as JsonObject)) {
      // A branch only narrows the field of the enclosing schema.
      if (known.has(name)) continue;
      const field = fields.get(name) ?? { schemas: [], required: false };
      field.schemas.push(property);
      fields.set(name, field);
    }
    for (const name of certain ? required : []) {
      const field = fields.get(name as string);
      if (field !== undefined) field.required = true;
    }
    if (depth > 20) return;
    for (const [keyword, inner] of inPlace(object)) {
      const branch = keyword === 'then' || keyword === 'else';
      visit(inner, certain && keyword === 'allOf', depth + 1, branch ? new Set(fields.keys()) : known);
    }
  };
  visit(schema, true, 0, new Set());
  return fields;
}

function* inPlace(schema: JsonObject): Iterable<[string, JsonObject]> {
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    const list = member(schema, keyword);
    for (const inner of Array.isArray(list) ? list : []) if (isObject(inner)) yield [keyword, inner];
  }
  for (const keyword of ['then', 'else'] as const) {
    const inner = member(schema, keyword);
    if (isObject(inner)) yield [keyword, inner];
  }
}

/**
 * An object schema for the remaining fields after some are removed. It is never stricter on them
 * than the original, so rules that involve removed fields are dropped.
 */
export function withoutFields(
  schema: JsonObject,
  removed: ReadonlySet<string>,
  definitions: Definitions,
): JsonObject {
  if (removed.size === 0) return schema;
  const object = Object.hasOwn(schema, '$ref') ? definitions.follow(schema) : schema;
  const left: JsonObject = {};
  for (const [keyword, value] of Object.entries(object)) {
    const kept = keep(keyword, value, removed, definitions);
    if (kept !== undefined) left[kept[0]] = kept[1];
  }
  return left;
}

function keep(
  keyword: string,
  value: Json,
  removed: ReadonlySet<string>,
  definitions: Definitions,
): [string, Json] | undefined {
  const names = (list: Json): Json[] =>
    Array.isArray(list) ? list.filter((name) => !removed.has(name as string)) : [];
  const inner = (one: Json): Json => (isObject(one) ? withoutFields(one, removed, definitions) : one);
  switch (keyword) {
    case 'properties':
    case 'dependentSchemas':
    case 'dependentRequired': {
      const entries = Object.entries(value as JsonObject).filter(([name]) => !removed.has(name));
      if (keyword === 'properties') return [keyword, Object.fromEntries(entries)];
      const kept = entries.map(([name, one]): [string, Json] => [
        name,
        keyword === 'dependentRequired' ? names(one) : inner(one),
      ]);
      return [keyword, Object.fromEntries(kept)];
    }
    case 'required': {
      const needed = names(value);
      return needed.length === 0 ? undefined : [keyword, needed];
    }
    case 'allOf':
    case 'anyOf':
      return [keyword, (value as Json[]).map(inner)];
    case 'oneOf':
      // The removed fields may have distinguished the alternatives.
      return ['anyOf', (value as Json[]).map(inner)];
    case 'not':
      return mentions(value, removed) ? undefined : [keyword, value];
    case 'if':
    case 'then':
    case 'else':
    case 'unevaluatedProperties':
      return undefined;
    case 'minProperties':
      return typeof value === 'number' && value > removed.size ? [keyword, value - removed.size] : undefined;
    default:
      return [keyword, value];
  }
}

function mentions(value: Json, removed: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return removed.has(value) || value.startsWith('#');
  if (Array.isArray(value)) return value.some((item) => mentions(item, removed));
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, item]) => removed.has(name) || mentions(item, removed));
}
