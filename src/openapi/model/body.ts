/**
 * How a request body becomes event data: flat, where its members can stand beside the parameters, or nested
 * under `body`.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';

/** Field that takes a nested body. */
export const BODY_FIELD = 'body';

/** What is known of the values that a schema lets through. */
interface Outline {
  /** Nothing but objects gets through. */
  readonly object: boolean;
  /** Names of members that the schema speaks of. */
  readonly names: ReadonlySet<string>;
}

const UNKNOWN: Outline = { object: false, names: new Set() };

/** Finds the outlines of the schemas of one document, each component only once. */
export class Outlines {
  private readonly schemas: JsonObject;
  private readonly known = new Map<string, Outline>();
  private left: number;

  /**
   * @param schemas `components.schemas` of a normalised document.
   * @param effort names that may be looked at in all, so that a hostile tangle of schemas costs no more.
   */
  constructor(schemas: JsonObject, effort: number) {
    this.schemas = schemas;
    this.left = effort;
  }

  /** @throws ContractError when the effort is used up. */
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
    const outline = this.of(member(this.schemas, ref.slice(ref.lastIndexOf('/') + 1)) ?? true);
    this.known.set(ref, outline);
    return outline;
  }
}

function isObjectType(type: Json | undefined): boolean {
  return type === 'object' || (Array.isArray(type) && type.length === 1 && type[0] === 'object');
}

/** Whether the body of a media type can have members: JSON and forms. Others are text or bytes. */
export function hasMembers(mediaType: string): boolean {
  return /^(application\/json|application\/[^;]+\+json|text\/json|application\/x-www-form-urlencoded|multipart\/form-data|\*\/\*|application\/\*)\s*(;|$)/i.test(
    mediaType,
  );
}

/** Whether the gateway reads bodies of a media type or range: JSON and forms. */
export function isReadable(mediaType: string): boolean {
  return hasMembers(mediaType) && !/^(multipart|text)\//i.test(mediaType);
}
