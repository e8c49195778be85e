/**
 * `$dynamicRef` (JSON Schema 2020-12, core, 8.2.3.2): which schema it leads to depends on the resources that
 * validation has come through, the outermost first. All ways through a document are known when it loads, so each
 * schema that a dynamic reference can be reached from becomes one component for each set of targets, and a plain `$ref`
 * takes the place of the dynamic one. Everything that reads the served document needs to know only `$ref`.
 */
import { ContractError } from '../../contract/errors.ts';
import { at, isObject, type Json, member } from '../../contract/json.ts';
import { walk } from '../model/walk.ts';
import { RECURSIVE, type Resources } from './resources.ts';

/** Targets of dynamic references by the name of their anchor. */
export type Scope = ReadonlyMap<string, string>;

const NONE: Scope = new Map();

export class DynamicScopes {
  private readonly reached = new Map<string, ReadonlySet<string>>();
  /** Where the schema stands that is being copied, and the scope that it was entered with. */
  private top = '';
  private entered: Scope = NONE;

  /** @param follow gives the target of a `$ref` at a pointer. */
  constructor(
    private readonly raw: Json,
    private readonly resources: Resources,
    private readonly follow: (ref: string, pointer: string) => string | undefined,
  ) {}

  /** A schema is copied from now on. */
  enter(top: string, scope: Scope | undefined): void {
    this.top = top;
    this.entered = scope ?? this.extend(NONE, this.resources.of(top));
  }

  /** The target of a dynamic reference; undefined when it leads nowhere. */
  target(ref: string, pointer: string): string | undefined {
    const name = ref === RECURSIVE ? RECURSIVE : ref.replace(/^#/, '');
    const plain = name === RECURSIVE ? this.resources.of(pointer) : this.staticTarget(ref, name, pointer);
    if (plain === undefined || plain === '') return undefined;
    const owner = this.resources.dynamicAnchors(this.resources.of(plain));
    // Only an anchor that is dynamic itself may give way to another one.
    return owner.get(name) === plain ? (this.scopeAt(pointer).get(name) ?? plain) : plain;
  }

  /** The scope that a component is to be copied with; undefined where it is the same from everywhere. */
  scopeFor(target: string, pointer: string): Scope | undefined {
    const names = this.reach(target);
    if (names.size === 0) return undefined;
    const only = (scope: Scope): Scope => new Map([...scope].filter(([name]) => names.has(name)));
    const own = this.resources.of(target);
    const scope = only(this.extend(this.scopeAt(pointer), own));
    return keyOf(scope) === keyOf(only(this.extend(NONE, own))) ? undefined : scope;
  }

  private staticTarget(ref: string, name: string, pointer: string): string | undefined {
    return ref.startsWith('#') && !name.startsWith('/') && name !== ''
      ? this.resources.anchor(name, pointer)
      : this.follow(ref, pointer);
  }

  private scopeAt(pointer: string): Scope {
    return this.resources
      .between(this.top, pointer)
      .reduce((scope, at) => this.extend(scope, at), this.entered);
  }

  /** The outermost resource that has an anchor of a name wins. */
  private extend(scope: Scope, resource: string): Scope {
    const anchors = this.resources.dynamicAnchors(resource);
    return anchors.size === 0 ? scope : new Map([...anchors, ...scope]);
  }

  /** Names of all dynamic references that validation may come to from a schema. */
  private reach(target: string): ReadonlySet<string> {
    const known = this.reached.get(target);
    if (known !== undefined) return known;
    const names = new Set<string>();
    const places = new Set([target]);
    for (const place of places) {
      walk('schema', at(this.raw, place), place, (kind, object, pointer) => {
        if (kind !== 'schema' || !isObject(object)) return true;
        const ref = member(object, '$ref');
        const dynamic = member(object, '$dynamicRef');
        const next = typeof ref === 'string' ? this.tried(() => this.follow(ref, pointer)) : undefined;
        if (next !== undefined) places.add(next);
        if (Object.hasOwn(object, '$recursiveRef')) names.add(RECURSIVE);
        if (typeof dynamic !== 'string') return true;
        names.add(dynamic.replace(/^.*#/, ''));
        const plain = this.tried(() => this.target(dynamic, pointer));
        if (plain !== undefined) places.add(plain);
        return true;
      });
      // What other resources have under these names may be come to as well.
      for (const name of names) for (const other of this.resources.withDynamicAnchor(name)) places.add(other);
    }
    this.reached.set(target, names);
    return names;
  }

  /** A reference that leads nowhere is reported where it is copied. */
  private tried(step: () => string | undefined): string | undefined {
    try {
      return step();
    } catch (error) {
      if (error instanceof ContractError) return undefined;
      throw error;
    }
  }
}

/** Scopes with one key are the same. */
export function keyOf(scope: Scope | undefined): string {
  return scope === undefined ? '' : JSON.stringify([...scope].sort(([a], [b]) => (a < b ? -1 : 1)));
}
