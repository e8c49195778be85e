/**
 * Schema resources of a document and the names in them: `$id`, `$anchor` and `$dynamicAnchor` (JSON
 * Schema 2020-12, core, 8.2). The document, each of its files and each schema with an `$id` are
 * resources. Each schema in `components` also counts as one, so that several schemas can use the
 * same anchor name, as templates of generic types do.
 */
import { ContractError } from '../../contract/errors.ts';
import { type Json, type JsonObject, member } from '../../contract/json.ts';
import type { Steps } from '../../core/time/steps.ts';
import { visitingSchemas } from './anchors.ts';

/**
 * Name of the anchor that `$recursiveAnchor: true` declares (JSON Schema 2019-09, core, 8.2.4.2).
 */
export const RECURSIVE = '';

interface Resource {
  /** Whether an `$id` or a file starts the resource, so that anchors outside it are not visible. */
  readonly bounded: boolean;
  readonly anchors: Map<string, string>;
  readonly dynamicAnchors: Map<string, string>;
}

const FILE = /^\/x-files\/[^/]+$/;
const COMPONENT = /^(\/x-files\/[^/]+)?\/components\/schemas\/[^/]+$/;

/** Finds the schema resources of one document. */
export class Resources {
  /** Whether a schema has a reference whose target depends on the enclosing schemas. */
  dynamic = false;
  private readonly resources = new Map<string, Resource>();
  private readonly ids = new Map<string, string>();

  private constructor() {
    this.resources.set('', resource(true));
  }

  /** Finds the resources of a document, in steps. */
  static *reading(raw: Json): Steps<Resources> {
    const resources = new Resources();
    yield* visitingSchemas(raw, (object, pointer) => resources.visit(object, pointer));
    return resources;
  }

  /** Returns the pointer of the schema with this `$id`. */
  withId(id: string): string | undefined {
    return this.ids.get(id);
  }

  /** Returns the pointer of the resource that contains the schema at a pointer. */
  of(pointer: string): string {
    for (let around = pointer; around !== ''; around = parent(around)) {
      if (this.resources.has(around)) return around;
    }
    return '';
  }

  /**
   * Returns the pointers of all resources that start below `top` and at or above a pointer, the
   * outermost first.
   */
  between(top: string, pointer: string): string[] {
    const found: string[] = [];
    for (let around = pointer; around.length > top.length; around = parent(around)) {
      if (this.resources.has(around)) found.unshift(around);
    }
    return found;
  }

  /**
   * Returns the pointer of the `$id` or file that contains the schema at a pointer; it is empty for
   * the document.
   */
  boundary(pointer: string): string {
    let around = this.of(pointer);
    while (this.resources.get(around)?.bounded === false) around = this.of(parent(around));
    return around;
  }

  /** Returns the dynamic anchors of a resource: pointers by name. */
  dynamicAnchors(at: string): ReadonlyMap<string, string> {
    return this.resources.get(at)?.dynamicAnchors ?? new Map<string, string>();
  }

  /** Returns the pointers of all schemas with a dynamic anchor of this name. */
  withDynamicAnchor(name: string): string[] {
    return [...this.resources.values()].flatMap(({ dynamicAnchors }) => dynamicAnchors.get(name) ?? []);
  }

  /**
   * Returns the schema that an anchor names, for a reference at `pointer`.
   *
   * @throws {ContractError} when several schemas match.
   */
  anchor(name: string, pointer: string): string | undefined {
    const boundary = this.boundary(pointer);
    for (let around = this.of(pointer); ; around = this.of(parent(around))) {
      const found = this.resources.get(around)?.anchors.get(name);
      if (found !== undefined) return found;
      if (around === boundary) break;
    }
    const inside: string[] = [];
    const anywhere: string[] = [];
    for (const [at, { anchors }] of this.resources) {
      const location = anchors.get(name);
      if (location === undefined) continue;
      anywhere.push(location);
      if (this.boundary(at) === boundary) inside.push(location);
    }
    // Some documents write `#name` without the required `$id`. This is accepted if only one
    // schema matches.
    const found = inside.length > 0 ? inside : anywhere;
    if (found.length > 1) {
      throw new ContractError(`several schemas have the anchor ${name}: ${found.join(', ')}`, { pointer });
    }
    return found[0];
  }

  /** Records an object that may be a schema. */
  private visit(object: JsonObject, pointer: string): void {
    // The identifier of a document (OpenAPI 3.2, 4.1.1).
    const id = member(object, pointer === '' || file(pointer) ? '$self' : '$id') ?? member(object, '$id');
    if (typeof id === 'string' && !this.ids.has(id)) this.ids.set(id, pointer);
    if (typeof id === 'string' || file(pointer)) this.resources.set(pointer, resource(true));
    else if (COMPONENT.test(pointer)) this.resources.set(pointer, resource(false));
    this.dynamic ||= Object.hasOwn(object, '$dynamicRef') || Object.hasOwn(object, '$recursiveRef');
    this.note(object, pointer);
  }

  private note(object: JsonObject, pointer: string): void {
    const { anchors, dynamicAnchors } = this.resources.get(this.of(pointer)) ?? resource(false);
    const put = (into: Map<string, string>, name: Json | undefined): void => {
      if (typeof name === 'string' && !into.has(name)) into.set(name, pointer);
    };
    put(anchors, member(object, '$anchor'));
    put(anchors, member(object, '$dynamicAnchor'));
    put(dynamicAnchors, member(object, '$dynamicAnchor'));
    if (object['$recursiveAnchor'] === true) put(dynamicAnchors, RECURSIVE);
  }
}

function file(pointer: string): boolean {
  return FILE.test(pointer);
}

function resource(bounded: boolean): Resource {
  return { bounded, anchors: new Map(), dynamicAnchors: new Map() };
}

function parent(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}
