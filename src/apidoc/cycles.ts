/**
 * Schemas that refer to one another: no circle without going deeper into the value, or judging a value would
 * never end; and no chain longer than a validator can follow.
 */
import { ContractError } from '../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, pointerOf } from '../contract/json.ts';

/** Keywords whose schemas judge the very same value. */
const SAME_VALUE = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'] as const;

/** @throws ContractError naming the component that starts the circle or the chain. */
export function checkReferences(components: Readonly<Record<string, JsonObject>>, longest: number): void {
  for (const [section, all] of Object.entries(components)) {
    const edges = new Map<string, readonly string[]>();
    for (const [name, value] of Object.entries(all)) {
      edges.set(name, section === 'schemas' ? sameValue(value) : referenceOf(value));
    }
    for (const name of edges.keys()) follow(section, name, edges, longest);
  }
}

/** Depth-first without recursion; finished components are taken out of `edges`, so all is walked once. */
function follow(
  section: string,
  start: string,
  edges: Map<string, readonly string[]>,
  longest: number,
): void {
  const path: { name: string; next: number }[] = [{ name: start, next: 0 }];
  const onPath = new Set([start]);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const target = edges.get(step.name)?.[step.next];
    step.next += 1;
    if (target === undefined) {
      path.pop();
      onPath.delete(step.name);
      edges.set(step.name, []);
      continue;
    }
    const pointer = pointerOf('components', section, start);
    if (onPath.has(target)) throw new ContractError('refers to itself without going deeper', { pointer });
    if (path.length >= longest)
      throw new ContractError(`starts a chain of more than ${longest} references`, { pointer });
    if ((edges.get(target) ?? []).length === 0) continue;
    path.push({ name: target, next: 0 });
    onPath.add(target);
  }
}

function referenceOf(value: Json): string[] {
  const ref = isObject(value) ? member(value, '$ref') : undefined;
  return typeof ref === 'string' ? [ref.slice(ref.lastIndexOf('/') + 1)] : [];
}

function sameValue(schema: Json): string[] {
  if (!isObject(schema)) return [];
  const found = referenceOf(schema);
  for (const keyword of SAME_VALUE) {
    const value = member(schema, keyword);
    if (value === undefined) continue;
    const schemas = Array.isArray(value)
      ? value
      : keyword === 'dependentSchemas' && isObject(value)
        ? Object.values(value)
        : [value];
    for (const item of schemas) found.push(...sameValue(item));
  }
  return found;
}
