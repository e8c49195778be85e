/** Names that schemas give themselves: `$id`, `$anchor` and `$dynamicAnchor` (JSON Schema 2020-12, core, 8.2). */
import { isObject, type Json, type JsonObject, member, pointerOf } from '../../contract/json.ts';

/** Members whose values are data: what looks like a name in them is not one. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const', 'value']);

/** Members that hold schemas by names of the author's choice. */
const MAPS = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
  'schemas',
]);

/** Called with each object that may be a schema. */
type Visit = (object: JsonObject, pointer: string) => void;

/** Visits all that may be a schema: also where the kind of an object is not known yet. */
export function visitSchemas(root: Json, visit: Visit): void {
  const go = (value: Json, pointer: string, isMap: boolean): void => {
    if (Array.isArray(value)) value.forEach((item, index) => go(item, `${pointer}/${index}`, false));
    if (!isObject(value)) return;
    if (!isMap) visit(value, pointer);
    for (const [name, item] of Object.entries(value)) {
      if (!isMap && DATA.has(name)) continue;
      go(item, pointer + pointerOf(name), !isMap && MAPS.has(name));
    }
  };
  go(root, '', false);
}

/** `$id`s and, after a `#`, anchors → pointer of the first schema that has them. */
export function anchorsOf(root: Json): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  visitSchemas(root, (object, pointer) => {
    const id = member(object, '$id');
    if (typeof id === 'string' && !found.has(id)) found.set(id, pointer);
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const anchor = member(object, keyword);
      if (typeof anchor === 'string' && !found.has(`#${anchor}`)) found.set(`#${anchor}`, pointer);
    }
  });
  return found;
}
