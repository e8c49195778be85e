/** Names of the types that components become. */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import type { Direction } from '../../openapi/index.ts';

/** Names with another meaning in the result. */
const RESERVED = ['Events', 'Partial'];

/** The annotation of members that are absent in a direction (OpenAPI 3.0.3, Schema Object). */
const ABSENT = { request: 'readOnly', response: 'writeOnly' } as const;

/** Gives each component a name that is a valid and unique TypeScript identifier. */
export class TypeNames {
  private readonly names = new Map<string, string>();
  private readonly taken = new Set(RESERVED);
  private readonly directed = new Map<string, boolean>();

  /** @param schemas `components.schemas` of the document. */
  constructor(private readonly schemas: JsonObject) {}

  /**
   * Returns the component that a reference points to and the name of its type. A component with
   * `readOnly` or `writeOnly` members has two types; the name for event data ends with `Input`.
   */
  of(ref: string, direction: Direction): { readonly component: string; readonly name: string } {
    const component = componentOf(ref);
    const suffix = direction === 'request' && this.isDirected(component) ? 'Input' : '';
    const key = `${component} ${suffix}`;
    let name = this.names.get(key);
    if (name === undefined) {
      name = this.free(identifierOf(component) + suffix);
      this.names.set(key, name);
    }
    return { component, name };
  }

  /** Returns whether a member is absent in a direction, so that it cannot be required. */
  isAbsent(property: Json, direction: Direction): boolean {
    if (!isObject(property)) return false;
    if (member(property, ABSENT[direction]) === true) return true;
    const { $ref: ref, allOf: all } = property;
    if (Array.isArray(all) && all.some((one) => this.isAbsent(one, direction))) return true;
    return (
      typeof ref === 'string' && this.isAbsent(member(this.schemas, componentOf(ref)) ?? true, direction)
    );
  }

  /** Whether the component, or one that it refers to, has members that are absent in a direction. */
  private isDirected(component: string): boolean {
    let known = this.directed.get(component);
    if (known === undefined) {
      known = this.reachesDirection(component);
      this.directed.set(component, known);
    }
    return known;
  }

  private reachesDirection(component: string): boolean {
    const reached = new Set([component]);
    for (const name of reached) {
      const text = JSON.stringify(member(this.schemas, name) ?? true);
      if (/"(?:readOnly|writeOnly)":true/.test(text)) return true;
      for (const [, ref = ''] of text.matchAll(/"\$ref":"([^"]+)"/g)) reached.add(componentOf(ref));
    }
    return false;
  }

  private free(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.taken.has(name); count += 1) name = `${wanted}${count}`;
    this.taken.add(name);
    return name;
  }
}

function componentOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** Returns a name in Pascal case: `NewTask` for `new-task`. */
function identifierOf(component: string): string {
  const words = component.split(/[^A-Za-z0-9_]+/).filter((word) => word !== '');
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`;
}
