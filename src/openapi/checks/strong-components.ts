/**
 * Strongly connected components of schemas that refer to each other: Tarjan's algorithm, without
 * recursion.
 */
import { type Json, type JsonObject, member } from '../../contract/json.ts';

/** Names that all reach each other through references, or a single name. */
export interface Component {
  readonly names: ReadonlySet<string>;
  /** Whether its names refer back to themselves. */
  readonly circular: boolean;
}

interface Visit {
  readonly name: string;
  readonly targets: readonly string[];
  readonly index: number;
  next: number;
  lowest: number;
  settled: boolean;
}

/** Returns all components; each one comes after the components that it refers to. */
export function* componentsOf(
  schemas: JsonObject,
  refsIn: (schema: Json | undefined) => readonly string[],
): Iterable<Component> {
  const visits = new Map<string, Visit>();
  const open: Visit[] = [];
  const enter = (name: string): Visit => {
    const targets = [...new Set(refsIn(member(schemas, name)))].filter((ref) => Object.hasOwn(schemas, ref));
    const visit = { name, targets, index: visits.size, next: 0, lowest: visits.size, settled: false };
    visits.set(name, visit);
    open.push(visit);
    return visit;
  };
  for (const start of Object.keys(schemas)) {
    const path = visits.has(start) ? [] : [enter(start)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const target = visit.targets[visit.next];
      visit.next += 1;
      const known = target === undefined ? undefined : visits.get(target);
      if (target !== undefined && known === undefined) path.push(enter(target));
      else if (known !== undefined && !known.settled) visit.lowest = Math.min(visit.lowest, known.index);
      if (target !== undefined) continue;
      path.pop();
      const before = path.at(-1);
      if (before !== undefined) before.lowest = Math.min(before.lowest, visit.lowest);
      if (visit.lowest === visit.index) yield settle(visit, open);
    }
  }
}

/** Removes the component of its first visit from the open visits. */
function settle(first: Visit, open: Visit[]): Component {
  const members = open.splice(open.indexOf(first));
  for (const each of members) each.settled = true;
  const names = new Set(members.map(({ name }) => name));
  return { names, circular: members.length > 1 || first.targets.includes(first.name) };
}
