/**
 * A walk over an OpenAPI document that knows at each place what kind of object the specification has there
 * (`FIELDS` in contract/shapes.ts). It visits nothing else: examples, extensions and defaults are data, and a `$ref`
 * in them is not a reference. It takes documents as they are: what is not of the right type is passed over.
 */
import { escapeToken, isObject, type Json, type JsonObject } from '../../contract/json.ts';
import { fieldsOf, isExtension, type Kind } from '../../contract/shapes.ts';

/** Called with each object; returns whether to go on below it. */
export type Visit = (kind: Kind, object: JsonObject, pointer: string) => boolean;

/** Visits the object at `pointer` and all below it. */
export function walk(kind: Kind, value: Json | undefined, pointer: string, visit: Visit): void {
  if (!isObject(value) || !visit(kind, value, pointer)) return;
  for (const [name, form, of] of fieldsOf(kind, value)) {
    each(form === 'map', of, value[name], `${pointer}/${escapeToken(name)}`, visit);
  }
  if (kind !== 'schema') return;
  // Older drafts of JSON Schema, which `normaliseSchema` brings to 2020-12.
  each(false, 'schema', value['additionalItems'], `${pointer}/additionalItems`, visit);
  each(true, 'schema', value['dependencies'], `${pointer}/dependencies`, visit);
}

function each(isMap: boolean, kind: Kind, value: Json | undefined, pointer: string, visit: Visit): void {
  // `items` was a list before 2020-12.
  if (Array.isArray(value)) value.forEach((item, index) => walk(kind, item, `${pointer}/${index}`, visit));
  else if (!isMap) walk(kind, value, pointer, visit);
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (!isExtension(kind, name)) walk(kind, item, `${pointer}/${escapeToken(name)}`, visit);
    }
  }
}
