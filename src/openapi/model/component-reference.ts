/** References to components of a normalised document: `#/components/<section>/<name>`. */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';

/** Components by section and name. */
export type Components = Readonly<Record<string, JsonObject>>;

/** A value with its references resolved, and the JSON pointer of that value in the document. */
export interface Resolved {
  readonly value: Json | undefined;
  readonly pointer: string;
}

/**
 * Maximum number of references in a chain. The limits of `checkReferences` are lower, so it only
 * ends the search in a document that is rejected anyway.
 */
const MAX_CHAIN = 1000;

/** Returns the reference to a component. */
export function refTo(section: string, name: string): string {
  return `#/components/${section}/${name}`;
}

/** Returns the section and the name of the component that a reference points to. */
export function partsOfRef(ref: string): readonly [section: string, name: string] {
  const [section = '', name = ''] = ref.split('/').slice(-2);
  return [section, name];
}

/** Returns the name of the component that a reference points to. */
export function nameOfRef(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** Returns the component that a reference points to, or undefined if it does not exist. */
export function componentAt(components: Components, ref: string): Json | undefined {
  const [section, name] = partsOfRef(ref);
  return member(components[section] ?? {}, name);
}

/**
 * Resolves a value that may be a reference to a component, which may itself be a reference. The
 * value is undefined if the component does not exist.
 *
 * @param pointer JSON pointer of the value in the document.
 */
export function resolve(components: Components, value: Json | undefined, pointer = ''): Resolved {
  let found: Resolved = { value, pointer };
  for (let length = 0; isObject(found.value); length += 1) {
    const ref = member(found.value, '$ref');
    if (typeof ref !== 'string') break;
    if (length >= MAX_CHAIN) return { value: undefined, pointer };
    found = { value: componentAt(components, ref), pointer: ref.slice(1) };
  }
  return found;
}
