/**
 * Derives from a schema what is needed to read a value from the text of a parameter: its types, its
 * properties and its default. The validator decides whether the value is valid.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { at, isObject, type Json, type JsonObject, member, tokensOf } from '../../contract/json.ts';
import { isWhole } from '../../core/json/decimal.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';
import type { Schema } from '../../openapi/model/operation.ts';

/** A type of JSON Schema. */
export type TypeName = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** Keywords that do not restrict a value beyond its type. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'type',
  'title',
  'description',
  'example',
  'examples',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'externalDocs',
  'xml',
  '$comment',
]);

const NOT_SINGLE: ReadonlySet<TypeName> = new Set(['array', 'object', 'null']);

/** Maximum number of schemas per shape. It also ends circular references. */
const MAX_FACETS = 200;

/** The shape of the values of one schema. */
export class Shape {
  /** Types that a value may have; empty if the schema does not restrict them. */
  readonly types: ReadonlySet<TypeName>;
  /** Whether every value of the type is valid. */
  readonly typeOnly: boolean;
  /** Value of a missing parameter. */
  readonly defaultValue: Json | undefined;
  /** Whether the value occurs in replies only. */
  readonly readOnly: boolean;
  /** Names of the declared properties. */
  readonly names: readonly string[];
  /** Whether an object may have other properties. */
  readonly open: boolean;

  private readonly known = new Map<string, Shape>();

  constructor(
    private readonly document: Json,
    private readonly facets: readonly JsonObject[],
    types: ReadonlySet<TypeName>,
    unconditional: readonly JsonObject[],
  ) {
    this.types = types;
    const [first] = facets;
    this.typeOnly =
      facets.length === 1 &&
      first !== undefined &&
      typeof first['type'] === 'string' &&
      Object.keys(first).every((key) => ANNOTATIONS.has(key) || key.startsWith('x-'));
    this.defaultValue = unconditional
      .map((facet) => member(facet, 'default'))
      .find((value) => value !== undefined);
    this.readOnly = unconditional.some((facet) => member(facet, 'readOnly') === true);
    const properties = facets.map((facet) => member(facet, 'properties')).filter(isObject);
    this.names = [...new Set(properties.flatMap((object) => Object.keys(object)))];
    this.open = !facets.some((facet) => member(facet, 'additionalProperties') === false);
  }

  /** Whether a value may be an array. */
  get acceptsArray(): boolean {
    return this.types.has('array');
  }

  /** Whether a value may be an object. */
  get acceptsObject(): boolean {
    return this.types.has('object');
  }

  /** Whether a value may be a string, a number or a boolean. */
  get acceptsScalar(): boolean {
    for (const type of this.types) if (!NOT_SINGLE.has(type)) return true;
    return !this.acceptsArray && !this.acceptsObject;
  }

  /** Whether a value may be a text. */
  get acceptsText(): boolean {
    return this.types.size === 0 || this.types.has('string');
  }

  /** Whether a text is not encoded, but stands for bytes (OpenAPI 3.0 and 3.1, binary data). */
  get isBinary(): boolean {
    return this.facets.some(
      (facet) =>
        member(facet, 'format') === 'binary' ||
        (member(facet, 'contentMediaType') !== undefined && member(facet, 'contentEncoding') === undefined),
    );
  }

  /** Whether a value may be null, which parameters write as an empty text. */
  get acceptsNull(): boolean {
    return this.types.has('null');
  }

  /** Whether the schema has alternatives, so that it is not known which properties apply. */
  get ambiguous(): boolean {
    return this.facets.some((facet) => CHOICES.some((keyword) => realChoices(facet, keyword).length > 1));
  }

  /** The shape of an item of an array. */
  item(index: number): Shape {
    const tuple = this.facets.some((facet) => Array.isArray(member(facet, 'prefixItems')));
    return this.derive(tuple ? `[${index}]` : '[]', (facet) => {
      const prefix = member(facet, 'prefixItems');
      const own = Array.isArray(prefix) ? prefix[index] : undefined;
      return own ?? member(facet, 'items');
    });
  }

  /** The shape of a property of an object. */
  property(name: string): Shape {
    return this.derive(`.${name}`, (facet) => {
      const properties = member(facet, 'properties');
      const own = isObject(properties) ? member(properties, name) : undefined;
      return own ?? member(facet, 'additionalProperties');
    });
  }

  private derive(key: string, pick: (facet: JsonObject) => Json | undefined): Shape {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const schemas = this.facets.map(pick).filter((schema) => schema !== undefined);
    const shape = shapeOf(schemas.length === 1 ? (schemas[0] ?? true) : { allOf: schemas }, this.document);
    if (this.known.size < MAX_FACETS) this.known.set(key, shape);
    return shape;
  }
}

/** Derives the shape of a schema. */
export function shapeOf(schema: Schema | Json, document: OpenAPIV3_1.Document | Json): Shape {
  const root = document as Json;
  const found: SchemaFacts = { root, facets: [], unconditional: [] };
  const types = collect(schema as Json, found, true);
  return new Shape(root, found.facets, types ?? new Set(), found.unconditional);
}

/** The schemas that apply to a value. */
interface SchemaFacts {
  readonly root: Json;
  readonly facets: JsonObject[];
  /** The facets that apply to every value, because they are not part of an alternative. */
  readonly unconditional: JsonObject[];
}

/** Collects the schemas of a value, and returns its types; undefined if they are not restricted. */
function collect(
  schema: Json | undefined,
  found: SchemaFacts,
  unconditional: boolean,
): Set<TypeName> | undefined {
  if (!isObject(schema) || found.facets.length >= MAX_FACETS) return undefined;
  found.facets.push(schema);
  if (unconditional) found.unconditional.push(schema);
  const typeSets: (Set<TypeName> | undefined)[] = [declared(schema)];
  const ref = member(schema, '$ref');
  if (typeof ref === 'string')
    typeSets.push(collect(resolveReference(ref, found.root), found, unconditional));
  for (const part of listOf(schema, 'allOf')) typeSets.push(collect(part, found, unconditional));
  for (const keyword of CHOICES) {
    const onlyChoice = unconditional && realChoices(schema, keyword).length === 1;
    const parts = listOf(schema, keyword).map((part) => collect(part, found, onlyChoice));
    if (parts.length > 0) typeSets.push(union(parts));
  }
  return typeSets
    .filter((types) => types !== undefined)
    .reduce<Set<TypeName> | undefined>(narrowed, undefined);
}

const CHOICES = ['anyOf', 'oneOf'] as const;

/** The alternatives of a schema, except null: a nullable schema is not ambiguous. */
function realChoices(schema: JsonObject, keyword: (typeof CHOICES)[number]): Json[] {
  return listOf(schema, keyword).filter((part) => !isObject(part) || member(part, 'type') !== 'null');
}

/** Resolves a reference within the document; undefined if it has no target. */
export function resolveReference(ref: string, root: Json): Json | undefined {
  if (!ref.startsWith('#')) return undefined;
  let pointer = ref.slice(1);
  try {
    pointer = decodeURIComponent(pointer);
  } catch {
    return undefined;
  }
  return tokensOf(pointer) === undefined ? undefined : at(root, pointer);
}

function listOf(schema: JsonObject, keyword: string): Json[] {
  const list = member(schema, keyword);
  return Array.isArray(list) ? list : [];
}

function narrowed(first: Set<TypeName> | undefined, second: Set<TypeName>): Set<TypeName> {
  if (first === undefined) return second;
  const both = [...first].filter((type) => second.has(type) || (type === 'integer' && second.has('number')));
  if (first.has('number') && second.has('integer') && !both.includes('integer')) both.push('integer');
  return new Set(both);
}

function union(all: readonly (Set<TypeName> | undefined)[]): Set<TypeName> | undefined {
  const types = new Set<TypeName>();
  for (const part of all) {
    if (part === undefined) return undefined;
    part.forEach((type) => types.add(type));
  }
  return types;
}

function declared(schema: JsonObject): Set<TypeName> | undefined {
  const type = member(schema, 'type');
  if (typeof type === 'string') return new Set([type as TypeName]);
  if (Array.isArray(type)) return new Set(type as TypeName[]);
  const constant = member(schema, 'const');
  const values = constant === undefined ? listOf(schema, 'enum') : [constant];
  if (values.length > 0) return new Set(values.map(typeOf));
  if (member(schema, 'items') !== undefined || member(schema, 'prefixItems') !== undefined)
    return new Set(['array']);
  if (member(schema, 'properties') !== undefined) return new Set(['object']);
  return undefined;
}

/** The type of a JSON value. */
export function typeOf(value: Json): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' || value instanceof ExactNumber) return isWhole(value) ? 'integer' : 'number';
  return typeof value as 'boolean' | 'string' | 'object';
}
