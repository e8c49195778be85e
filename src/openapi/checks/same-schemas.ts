/**
 * Decides whether schemas of two documents accept the same values, because they consist of the same
 * keywords. Annotations, and the names of components, do not matter.
 */
import { canonical, isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { fieldsOf } from '../../contract/shapes.ts';
import { nameOfRef } from '../model/component-reference.ts';
import { ANNOTATIONS } from '../model/schema.ts';

export class SameSchemas {
  private static readonly known = new WeakMap<JsonObject, WeakMap<JsonObject, SameSchemas>>();
  /** Results by pair of references. A pair that is being compared counts as the same. */
  private readonly pairs = new Map<string, boolean>();

  private constructor(
    private readonly schemas: JsonObject,
    private readonly otherSchemas: JsonObject,
  ) {}

  /** Returns the comparison of the schemas of two documents, whose results are shared. */
  static of(schemas: JsonObject, otherSchemas: JsonObject): SameSchemas {
    let inner = SameSchemas.known.get(schemas);
    if (inner === undefined) {
      inner = new WeakMap();
      SameSchemas.known.set(schemas, inner);
    }
    let same = inner.get(otherSchemas);
    if (same === undefined) {
      same = new SameSchemas(schemas, otherSchemas);
      inner.set(otherSchemas, same);
    }
    return same;
  }

  /** Compares two schemas. */
  test(one: Json, other: Json): boolean {
    if (!isObject(one) || !isObject(other)) return one === other;
    const names = constraintsOf(one);
    if (names.length !== constraintsOf(other).length) return false;
    return names.every((name) => {
      const after = member(other, name);
      return after !== undefined && this.keyword(name, one[name] ?? null, after);
    });
  }

  /** Compares the values of a keyword in two schemas. */
  keyword(name: string, one: Json, other: Json): boolean {
    if (typeof one === 'string' && typeof other === 'string' && name === '$ref')
      return this.sameTarget(one, other);
    const [field] = fieldsOf('schema', { [name]: one });
    if (field === undefined) return canonical(one) === canonical(other);
    const [, form] = field;
    if (form === 'one') return this.test(one, other);
    if (Array.isArray(one) && Array.isArray(other)) {
      return one.length === other.length && one.every((item, index) => this.test(item, other[index] ?? null));
    }
    if (!isObject(one) || !isObject(other)) return false;
    const names = Object.keys(one);
    return (
      names.length === Object.keys(other).length &&
      names.every((key) => Object.hasOwn(other, key) && this.test(one[key] ?? null, other[key] ?? null))
    );
  }

  private sameTarget(one: string, other: string): boolean {
    const pair = `${one} ${other}`;
    const known = this.pairs.get(pair);
    if (known !== undefined) return known;
    this.pairs.set(pair, true);
    const target = member(this.schemas, nameOfRef(one)) ?? true;
    const otherTarget = member(this.otherSchemas, nameOfRef(other)) ?? true;
    const same = this.test(target, otherTarget);
    if (!same) this.forgetFrom(pair);
    this.pairs.set(pair, same);
    return same;
  }

  /** Forgets the results that assumed that a pair is the same: those found since. */
  private forgetFrom(pair: string): void {
    let isLater = false;
    for (const [key, same] of this.pairs) {
      isLater ||= key === pair;
      if (isLater && same) this.pairs.delete(key);
    }
  }
}

/** The names of the keywords of a schema that constrain values. */
function constraintsOf(schema: JsonObject): string[] {
  return Object.keys(schema).filter((name) => !ANNOTATIONS.has(name) && !name.startsWith('x-'));
}
