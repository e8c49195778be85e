/**
 * Walks an OpenAPI document and determines the kind of each object from its place in the
 * specification (`FIELDS` in contract/shapes.ts). Only these objects are visited. Examples,
 * extensions and defaults are data, and a `$ref` in them is not a reference. Values of the wrong
 * type are skipped.
 */
import { escapeToken, isObject, type Json, type JsonObject } from '../../contract/json.ts';
import { fieldsOf, isExtension, type Kind } from '../../contract/shapes.ts';

/** Called with each object; returns whether to visit the objects in it. */
export type Visit = (kind: Kind, object: JsonObject, pointer: string) => boolean;

/** Visits the object at `pointer` and all objects in it. */
export function walk(kind: Kind, value: Json | undefined, pointer: string, visit: Visit): void {
  if (!isObject(value) || !visit(kind, value, pointer)) return;
  for (const [name, form, of] of fieldsOf(kind, value)) {
    each(form === 'map', of, value[name], `${pointer}/${escapeToken(name)}`, visit);
  }
  if (kind !== 'schema') return;
  // Keywords of older drafts of JSON Schema, which `normaliseSchema` converts to 2020-12.
  each(false, 'schema', value['additionalItems'], `${pointer}/additionalItems`, visit);
  each(true, 'schema', value['dependencies'], `${pointer}/dependencies`, visit);
}

function each(isMap: boolean, kind: Kind, value: Json | undefined, pointer: string, visit: Visit): void {
  // Before 2020-12, `items` could be an array.
  if (Array.isArray(value)) value.forEach((item, index) => walk(kind, item, `${pointer}/${index}`, visit));
  else if (!isMap) walk(kind, value, pointer, visit);
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (!isExtension(kind, name)) walk(kind, item, `${pointer}/${escapeToken(name)}`, visit);
    }
  }
}
