/**
 * Checks references between schemas. A cycle that does not descend into the value would
 * make validation endless, and a chain must not be longer than a validator can follow.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, member } from '../../contract/json.ts';
import type { Steps } from '../../core/time/steps.ts';
import { nameOfRef, refTo } from '../model/component-reference.ts';
import type { Problems } from '../model/problems.ts';
import type { Normalised } from './normalise.ts';

/** Keywords whose schemas apply to the same value. */
const SAME_VALUE = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'] as const;

/**
 * Finds cycles and chains that are too long.
 *
 * @param locations locations of components in their source, by reference.
 * @param longest maximum length of a chain.
 * @param problems collects each such cycle and chain, with the component where it starts.
 */
export function* checkReferences(
  { components, locations }: Pick<Normalised, 'components' | 'locations'>,
  maxLength: number,
  problems: Problems,
): Steps<void> {
  for (const [section, all] of Object.entries(components)) {
    const edges = new Map<string, readonly string[]>();
    for (const [name, value] of Object.entries(all)) {
      edges.set(name, section === 'schemas' ? sameValue(value) : referenceOf(value));
      yield;
    }
    for (const name of edges.keys()) {
      const pointer = locations.get(refTo(section, name)) ?? '';
      problems.attempt(() => follow(name, edges, maxLength), { pointer });
      yield;
    }
  }
}

/**
 * Searches depth-first without recursion. Finished components are removed from `edges`, so each one
 * is visited only once.
 */
function follow(start: string, edges: Map<string, readonly string[]>, maxLength: number): void {
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
    const isCycle = onPath.has(target);
    if (isCycle || path.length >= maxLength) {
      // All components on this path are now reported.
      for (const name of onPath) edges.set(name, []);
      throw new ContractError(
        isCycle
          ? 'refers to itself without descending into the value'
          : `starts a chain of more than ${maxLength} references`,
      );
    }
    if ((edges.get(target) ?? []).length === 0) continue;
    path.push({ name: target, next: 0 });
    onPath.add(target);
  }
}

function referenceOf(value: Json): string[] {
  const ref = isObject(value) ? member(value, '$ref') : undefined;
  return typeof ref === 'string' ? [nameOfRef(ref)] : [];
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
