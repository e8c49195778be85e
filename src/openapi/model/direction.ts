/**
 * What a schema demands of requests and of replies. `required` holds for a `readOnly` member in replies only, and for
 * a `writeOnly` member in requests only (OpenAPI 3.0.3, Schema Object, Fixed Fields; 3.1 keeps the meaning by JSON
 * Schema 2020-12, Validation, 9.4). A member that is sent all the same has to be valid.
 */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';

export type Direction = 'request' | 'response';

/** The annotation of members that a direction does not have. */
const ABSENT = { request: 'readOnly', response: 'writeOnly' } as const;

/** Names that schemas around a schema say are not demanded. Only in copies that are being made. */
const NOT_DEMANDED: unique symbol = Symbol('not demanded');
type Marked = JsonObject & { [NOT_DEMANDED]?: ReadonlySet<string> };

/** Keywords whose schemas judge the same object: those that always do, and those that do under a condition. */
const ALWAYS = ['allOf'] as const;
const PERHAPS = ['anyOf', 'oneOf', 'if', 'then', 'else', 'not', 'dependentSchemas'] as const;

/** Whether a JSON value mentions `readOnly` or `writeOnly`, as the direction asks for. */
export function hasDirection(value: Json, direction: Direction): boolean {
  if (Array.isArray(value)) return value.some((item) => hasDirection(item, direction));
  if (!isObject(value)) return false;
  return (
    member(value, ABSENT[direction]) === true ||
    Object.values(value).some((item) => hasDirection(item, direction))
  );
}

/** Takes out of `required` what a direction does not have. */
export class DirectedSchemas {
  private readonly keyword: (typeof ABSENT)[Direction];
  private readonly certain = new Map<string, ReadonlySet<string>>();

  /** @param schemas `components.schemas`. */
  constructor(
    direction: Direction,
    private readonly schemas: JsonObject,
  ) {
    this.keyword = ABSENT[direction];
  }

  /** Marks a schema: some names are not demanded, whatever it says itself. */
  mark(schema: Json, names: ReadonlySet<string>): Json {
    if (names.size === 0 || !isObject(schema)) return schema;
    const marked: Marked = { ...schema };
    marked[NOT_DEMANDED] = names;
    return marked;
  }

  /**
   * Changes the copy of one schema object.
   * @returns the names that the component behind its `$ref` must not demand, beyond those that it knows of itself.
   */
  enter(object: JsonObject): ReadonlySet<string> {
    const around = (object as Marked)[NOT_DEMANDED] ?? NONE;
    const own = union(around, this.absentIn(object, false));
    const all = union(own, this.absentIn(object, true));
    if (all.size > 0) withoutNames(object, all);
    if (own.size === 0) return NONE;
    for (const keyword of [...ALWAYS, ...PERHAPS]) {
      const inner = member(object, keyword);
      if (Array.isArray(inner)) object[keyword] = inner.map((one) => this.mark(one, own));
      else if (keyword === 'dependentSchemas' && isObject(inner)) {
        const marked = Object.entries(inner).map(([name, one]) => [name, this.mark(one, own)] as const);
        object[keyword] = Object.fromEntries(marked);
      } else if (isObject(inner)) object[keyword] = this.mark(inner, own);
    }
    const ref = member(object, '$ref');
    if (typeof ref !== 'string') return NONE;
    const known = this.absentBehind(ref);
    return new Set([...own].filter((name) => !known.has(name)));
  }

  /**
   * Members that a direction does not have, by what a schema and those that judge the same object say of them.
   * @param perhaps whether alternatives count too.
   */
  private absentIn(schema: Json | undefined, perhaps: boolean): Set<string> {
    const found = new Set<string>();
    if (!isObject(schema)) return found;
    const properties = member(schema, 'properties');
    for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
      if (this.isAbsent(property)) found.add(name);
    }
    const ref = member(schema, '$ref');
    if (typeof ref === 'string') add(found, this.absentBehind(ref));
    for (const keyword of perhaps ? [...ALWAYS, ...PERHAPS] : ALWAYS) {
      const inner = member(schema, keyword);
      const list = Array.isArray(inner) ? inner : keyword === 'dependentSchemas' ? [] : [inner];
      for (const one of list) add(found, this.absentIn(one, perhaps));
    }
    return found;
  }

  private absentBehind(ref: string): ReadonlySet<string> {
    let found = this.certain.get(ref);
    if (found === undefined) {
      found = this.absentIn(this.component(ref), false);
      this.certain.set(ref, found);
    }
    return found;
  }

  /** Schemas that judge one value refer to each other in no circle: cycles.ts refuses those. */
  private isAbsent(property: Json | undefined): boolean {
    if (!isObject(property)) return false;
    if (member(property, this.keyword) === true) return true;
    const all = member(property, 'allOf');
    if (Array.isArray(all) && all.some((one) => this.isAbsent(one))) return true;
    const ref = member(property, '$ref');
    return typeof ref === 'string' && this.isAbsent(this.component(ref));
  }

  private component(ref: string): Json | undefined {
    return member(this.schemas, ref.slice(ref.lastIndexOf('/') + 1));
  }
}

const NONE: ReadonlySet<string> = new Set();

function union(first: ReadonlySet<string>, second: ReadonlySet<string>): ReadonlySet<string> {
  return second.size === 0 ? first : new Set([...first, ...second]);
}

function add(names: Set<string>, more: ReadonlySet<string>): void {
  for (const name of more) names.add(name);
}

function withoutNames(object: JsonObject, names: ReadonlySet<string>): void {
  const kept = (list: Json): Json =>
    Array.isArray(list) ? list.filter((name) => !names.has(name as string)) : list;
  const required = member(object, 'required');
  if (required !== undefined) object['required'] = kept(required);
  const dependent = member(object, 'dependentRequired');
  if (isObject(dependent)) {
    const entries = Object.entries(dependent).map(([name, list]) => [name, kept(list)] as const);
    object['dependentRequired'] = Object.fromEntries(entries);
  }
}
