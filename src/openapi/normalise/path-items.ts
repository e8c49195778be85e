/** Path items that the served document refers to. */
import { type JsonObject, member } from '../../contract/json.ts';
import { type Kind, transform } from '../../contract/shapes.ts';
import { nameOfRef } from '../model/component-reference.ts';

/**
 * Keeps only the path items that webhooks and callbacks refer to. Those that `paths` refers to are
 * already part of their operations.
 */
export function keepPathItems(document: JsonObject, components: Record<string, JsonObject>): void {
  const { pathItems, ...others } = components;
  if (pathItems === undefined) return;
  const kept: JsonObject = {};
  const reference = (kind: Kind, ref: string): string => {
    const name = nameOfRef(ref);
    if (kind === 'pathItem' && !Object.hasOwn(kept, name)) kept[name] = member(pathItems, name) ?? {};
    return ref;
  };
  transform('document', { ...document, components: others }, '', { reference });
  // The iteration also visits names that are added here.
  const names = Object.keys(kept);
  for (const name of names) {
    transform('pathItem', kept[name] ?? {}, '', { reference });
    names.push(...Object.keys(kept).slice(names.length));
  }
  delete components['pathItems'];
  if (names.length > 0) components['pathItems'] = kept;
}
