/**
 * What a schema requires of requests and of responses. `required` applies to a `readOnly` member
 * only in responses, and to a `writeOnly` member only in requests (OpenAPI 3.0.3, Schema Object,
 * Fixed Fields; 3.1 keeps the meaning through JSON Schema 2020-12, Validation, 9.4). If such a
 * member is sent nevertheless, it has to be valid.
 */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { nameOfRef } from './component-reference.ts';

/** Direction of a body: sent to a worker, or returned by it. */
export type Direction = 'request' | 'response';

/** The annotation of members that are absent in a direction. */
const ABSENT = { request: 'readOnly', response: 'writeOnly' } as const;

/** Names that enclosing schemas do not require. Set only on copies while they are made. */
const NOT_REQUIRED: unique symbol = Symbol('not required');
type Marked = JsonObject & { [NOT_REQUIRED]?: ReadonlySet<string> };

/** Keywords whose schemas apply to the same object: always, or under a condition. */
const ALWAYS = ['allOf'] as const;
const CONDITIONAL = ['anyOf', 'oneOf', 'if', 'then', 'else', 'not', 'dependentSchemas'] as const;

/**
 * Returns whether a JSON value contains the annotation (`readOnly` or `writeOnly`) that matters in
 * this direction.
 */
export function hasDirection(value: Json, direction: Direction): boolean {
  if (Array.isArray(value)) return value.some((item) => hasDirection(item, direction));
  if (!isObject(value)) return false;
  return (
    member(value, ABSENT[direction]) === true ||
    Object.values(value).some((item) => hasDirection(item, direction))
  );
}

/** Removes members that are absent in a direction from `required`. */
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

  /** Marks a schema so that it does not require these names, whatever its own `required` lists. */
  mark(schema: Json, names: ReadonlySet<string>): Json {
    if (names.size === 0 || !isObject(schema)) return schema;
    const marked: Marked = { ...schema };
    marked[NOT_REQUIRED] = names;
    return marked;
  }

  /**
   * Changes the copy of one schema object.
   *
   * @returns the names that the component behind its `$ref` must not require, in addition to those
   *   that it finds itself.
   */
  enter(object: JsonObject): ReadonlySet<string> {
    const around = (object as Marked)[NOT_REQUIRED] ?? NONE;
    const own = union(around, this.absentIn(object, false));
    const all = union(own, this.absentIn(object, true));
    if (all.size > 0) withoutNames(object, all);
    if (own.size === 0) return NONE;
    for (const keyword of [...ALWAYS, ...CONDITIONAL]) {
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
   * Returns the members that are absent in this direction according to a schema and all schemas
   * that apply to the same object.
   *
   * @param perhaps whether alternatives count too.
   */
  private absentIn(schema: Json | undefined, conditional: boolean): Set<string> {
    const found = new Set<string>();
    if (!isObject(schema)) return found;
    const properties = member(schema, 'properties');
    for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
      if (this.isAbsent(property)) found.add(name);
    }
    const ref = member(schema, '$ref');
    if (typeof ref === 'string') add(found, this.absentBehind(ref));
    for (const keyword of conditional ? [...ALWAYS, ...CONDITIONAL] : ALWAYS) {
      const inner = member(schema, keyword);
      const list = Array.isArray(inner) ? inner : keyword === 'dependentSchemas' ? [] : [inner];
      for (const one of list) add(found, this.absentIn(one, conditional));
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

  /**
   * The recursion ends because cycles.ts rejects schemas that refer to themselves without
   * descending into the value.
   */
  private isAbsent(property: Json | undefined): boolean {
    if (!isObject(property)) return false;
    if (member(property, this.keyword) === true) return true;
    const all = member(property, 'allOf');
    if (Array.isArray(all) && all.some((one) => this.isAbsent(one))) return true;
    const ref = member(property, '$ref');
    return typeof ref === 'string' && this.isAbsent(this.component(ref));
  }

  private component(ref: string): Json | undefined {
    return member(this.schemas, nameOfRef(ref));
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
