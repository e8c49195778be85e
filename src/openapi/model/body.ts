/**
 * Model: the types of sources and operations, and the rules for single OpenAPI objects such as
 * parameters, bodies, schemas and extensions. Nothing here depends on files or the registry.
 *
 * This file decides how a request body becomes event data: flat, if its members can be placed next
 * to the parameters, or nested under `body`.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { nameOfRef } from './component-reference.ts';

/** Field that receives a nested body. */
export const BODY_FIELD = 'body';

/** What a schema reveals about the values that it accepts. */
interface Outline {
  /** Whether the schema accepts only objects. */
  readonly object: boolean;
  /** Names of the members that the schema mentions. */
  readonly names: ReadonlySet<string>;
}

const UNKNOWN: Outline = { object: false, names: new Set() };

/** Computes the outlines of the schemas of one document, each component only once. */
export class Outlines {
  private readonly schemas: JsonObject;
  private readonly known = new Map<string, Outline>();
  private left: number;

  /**
   * @param schemas `components.schemas` of a normalised document.
   * @param effort maximum number of names to visit in total, which limits the cost of malicious
   *   schemas.
   */
  constructor(schemas: JsonObject, effort: number) {
    this.schemas = schemas;
    this.left = effort;
  }

  /**
   * Returns the outline of a schema.
   *
   * @throws {ContractError} when the effort is exceeded.
   */
  of(schema: Json): Outline {
    if (!isObject(schema)) return UNKNOWN;
    const names = new Set<string>();
    const properties = member(schema, 'properties');
    if (isObject(properties)) Object.keys(properties).forEach((name) => names.add(name));
    const required = member(schema, 'required');
    if (Array.isArray(required)) required.forEach((name) => typeof name === 'string' && names.add(name));
    let object = isObjectType(member(schema, 'type'));
    const ref = member(schema, '$ref');
    const all = typeof ref === 'string' ? [this.referred(ref)] : [];
    all.push(...this.each(schema, 'allOf'));
    for (const outline of all) object = object || outline.object;
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      const any = this.each(schema, keyword);
      object = object || (any.length > 0 && any.every((outline) => outline.object));
      all.push(...any);
    }
    for (const keyword of ['then', 'else'] as const) {
      const branch = member(schema, keyword);
      if (branch !== undefined) all.push(this.of(branch));
    }
    for (const outline of all) outline.names.forEach((name) => names.add(name));
    this.left -= names.size;
    if (this.left < 0) throw new ContractError('the schemas of its bodies are too entangled');
    return { object, names };
  }

  private each(schema: JsonObject, keyword: string): Outline[] {
    const list = member(schema, keyword);
    return Array.isArray(list) ? list.map((item) => this.of(item)) : [];
  }

  private referred(ref: string): Outline {
    const known = this.known.get(ref);
    if (known !== undefined) return known;
    this.known.set(ref, UNKNOWN);
    const outline = this.of(member(this.schemas, nameOfRef(ref)) ?? true);
    this.known.set(ref, outline);
    return outline;
  }
}

function isObjectType(type: Json | undefined): boolean {
  return type === 'object' || (Array.isArray(type) && type.length === 1 && type[0] === 'object');
}
