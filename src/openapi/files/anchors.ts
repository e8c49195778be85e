/**
 * Files: reading a document with the files that it refers to (loader.ts), and resolving its
 * references: `$ref`, anchors and `$dynamicRef`.
 *
 * This file finds the names that schemas declare: `$id`, `$anchor` and `$dynamicAnchor` (JSON
 * Schema 2020-12, core, 8.2).
 */
import { isObject, type Json, type JsonObject, member, pointerOf } from '../../contract/json.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';

/** Members whose values are data. Anything in them that looks like a name is not one. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const', 'value']);

/** Members that contain schemas under names chosen by the author. */
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

/** Visits every object that may be a schema, even where the kind of an object is not yet known. */
export function visitSchemas(root: Json, visit: Visit): void {
  runAtOnce(visitingSchemas(root, visit));
}

/** Levels whose members are separate steps; path items and components are below them. */
const STEP_LEVELS = 3;

/** Does the same as `visitSchemas`, in steps. */
export function* visitingSchemas(root: Json, visit: Visit): Steps<void> {
  const enter = (value: Json, pointer: string, isMap: boolean): Child[] => {
    if (Array.isArray(value)) return value.map((item, index) => [item, `${pointer}/${index}`, false]);
    if (!isObject(value)) return [];
    if (!isMap) visit(value, pointer);
    return Object.entries(value)
      .filter(([name]) => isMap || !DATA.has(name))
      .map(([name, item]) => [item, pointer + pointerOf(name), !isMap && MAPS.has(name)]);
  };
  const go = (...child: Child): void => {
    const [value] = child;
    if (typeof value !== 'object' || value === null) return;
    for (const below of enter(...child)) go(...below);
  };
  const stepping = function* (level: number, child: Child): Steps<void> {
    if (level >= STEP_LEVELS) return go(...child);
    for (const below of enter(...child)) {
      yield;
      yield* stepping(level + 1, below);
    }
  };
  yield* stepping(0, [root, '', false]);
}

type Child = [value: Json, pointer: string, isMap: boolean];

/**
 * Returns `$id`s, the `$self` of the document, and anchors with a leading `#`, each with the pointer of the first schema that
 * declares it.
 */
export function anchorsOf(root: Json): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  visitSchemas(root, (object, pointer) => {
    const id = member(object, pointer === '' ? '$self' : '$id') ?? member(object, '$id');
    if (typeof id === 'string' && !found.has(id)) found.set(id, pointer);
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const anchor = member(object, keyword);
      if (typeof anchor === 'string' && !found.has(`#${anchor}`)) found.set(`#${anchor}`, pointer);
    }
  });
  return found;
}
