/**
 * `$dynamicRef` (JSON Schema 2020-12, core, 8.2.3.2). Its target depends on the resources that
 * validation has passed through; the outermost one wins. All ways through a document are known when
 * it is loaded. Each schema that can reach a dynamic reference therefore becomes one component per
 * set of targets, and a plain `$ref` replaces the dynamic one. Code that reads the served document
 * only has to support `$ref`.
 */
import { ContractError } from '../../contract/errors.ts';
import { at, isObject, type Json, member } from '../../contract/json.ts';
import { walk } from '../model/walk.ts';
import { RECURSIVE, type Resources } from './resources.ts';

/** Targets of dynamic references, by anchor name. */
export type Scope = ReadonlyMap<string, string>;

const NONE: Scope = new Map();

/** Resolves the dynamic references of one document. */
export class DynamicScopes {
  private readonly reached = new Map<string, ReadonlySet<string>>();
  /** Pointer of the schema being copied, and the scope in which it was entered. */
  private top = '';
  private entered: Scope = NONE;

  /** @param follow returns the target of a `$ref` at a pointer. */
  constructor(
    private readonly raw: Json,
    private readonly resources: Resources,
    private readonly follow: (ref: string, pointer: string) => string | undefined,
  ) {}

  /** Starts the copy of a schema. */
  enter(top: string, scope: Scope | undefined): void {
    this.top = top;
    this.entered = scope ?? this.extend(NONE, this.resources.of(top));
  }

  /** Returns the target of a dynamic reference, or undefined if it has none. */
  target(ref: string, pointer: string): string | undefined {
    const name = ref === RECURSIVE ? RECURSIVE : ref.replace(/^#/, '');
    const plain = name === RECURSIVE ? this.resources.of(pointer) : this.staticTarget(ref, name, pointer);
    if (plain === undefined || plain === '') return undefined;
    const owner = this.resources.dynamicAnchors(this.resources.of(plain));
    // Only a dynamic anchor can be overridden by another one.
    return owner.get(name) === plain ? (this.scopeAt(pointer).get(name) ?? plain) : plain;
  }

  /**
   * Returns the scope in which to copy a component, or undefined if the result is the same in every
   * scope.
   */
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

  /** Adds the anchors of a resource. If a name exists already, the outer resource wins. */
  private extend(scope: Scope, resource: string): Scope {
    const anchors = this.resources.dynamicAnchors(resource);
    return anchors.size === 0 ? scope : new Map([...anchors, ...scope]);
  }

  /** Returns the names of all dynamic references that validation may reach from a schema. */
  private reach(target: string): ReadonlySet<string> {
    const known = this.reached.get(target);
    if (known !== undefined) return known;
    const names = new Set<string>();
    const locations = new Set([target]);
    for (const location of locations) {
      walk('schema', at(this.raw, location), location, (kind, object, pointer) => {
        if (kind !== 'schema' || !isObject(object)) return true;
        const ref = member(object, '$ref');
        const dynamic = member(object, '$dynamicRef');
        const next =
          typeof ref === 'string' ? this.ignoringErrors(() => this.follow(ref, pointer)) : undefined;
        if (next !== undefined) locations.add(next);
        if (Object.hasOwn(object, '$recursiveRef')) names.add(RECURSIVE);
        if (typeof dynamic !== 'string') return true;
        names.add(dynamic.replace(/^.*#/, ''));
        const plain = this.ignoringErrors(() => this.target(dynamic, pointer));
        if (plain !== undefined) locations.add(plain);
        return true;
      });
      // Validation may also reach the schemas with these names in other resources.
      for (const name of names)
        for (const other of this.resources.withDynamicAnchor(name)) locations.add(other);
    }
    this.reached.set(target, names);
    return names;
  }

  /** Ignores references without a target: they are reported when they are copied. */
  private ignoringErrors(step: () => string | undefined): string | undefined {
    try {
      return step();
    } catch (error) {
      if (error instanceof ContractError) return undefined;
      throw error;
    }
  }
}

/** Returns a key that is the same for equal scopes. */
export function keyOf(scope: Scope | undefined): string {
  return scope === undefined ? '' : JSON.stringify([...scope].sort(([a], [b]) => (a < b ? -1 : 1)));
}
