/**
 * Components that one value may be held against again and again: a folder or a group, each with children that are
 * folders or groups, costs twice as much with each level. Validators remember what such a component said of a value.
 */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { type Component, componentsOf } from './strong-components.ts';

/** Schemas that one value may meet through a component before its verdicts are remembered. */
const MOST = 64;

/** Keywords whose schemas judge the very same value, beside those next to them. */
const LISTS = ['allOf', 'anyOf', 'oneOf'] as const;
const SINGLE = ['not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const;
const MAPS = ['dependentSchemas', 'patternProperties'] as const;
/** Keywords whose schemas each judge another part of the value: no part meets two of them. */
const APART = ['items', 'additionalProperties', 'unevaluatedProperties', 'unevaluatedItems'] as const;

/**
 * The names of these components.
 * @param schemas by name, normalised.
 */
export function repeatedComponents(schemas: JsonObject): ReadonlySet<string> {
  const repeated = new Set<string>();
  /** How many schemas one value may meet through each component. */
  const widths = new Map<string, number>();
  for (const component of componentsOf(schemas, refsIn)) {
    const width = widthOf(schemas, component, widths);
    const many = width > MOST || (component.circular && forksWithin(schemas, component));
    for (const name of component.names) {
      widths.set(name, many ? 1 : width);
      if (many) repeated.add(name);
    }
  }
  return repeated;
}

function widthOf(schemas: JsonObject, { names }: Component, widths: ReadonlyMap<string, number>): number {
  const own = [...names].map((name) => width(member(schemas, name), (ref) => widths.get(ref) ?? 1));
  return Math.max(...own);
}

/** Schemas that one value, or one part of it, may meet; those that references lead to included. */
function width(schema: Json | undefined, ofRef: (name: string) => number): number {
  if (!isObject(schema)) return 1;
  const { beside, apart } = branchesOf(schema);
  let sum = beside.reduce<number>((total, branch) => total + width(branch, ofRef), 0);
  const ref = refOf(schema);
  if (ref !== undefined) sum += ofRef(ref);
  return Math.min(Number.MAX_SAFE_INTEGER, sum + Math.max(1, ...apart.map((part) => width(part, ofRef))));
}

/** Whether some value may reach a circle of references in two ways. */
function forksWithin(schemas: JsonObject, { names }: Component): boolean {
  return [...names].some((name) => forks(member(schemas, name), names));
}

function forks(schema: Json | undefined, names: ReadonlySet<string>): boolean {
  if (!isObject(schema)) return false;
  const { beside, apart } = branchesOf(schema);
  const leads = (branch: Json): boolean => refsIn(branch).some((ref) => names.has(ref));
  const ref = refOf(schema);
  const ways =
    beside.filter(leads).length + (apart.some(leads) ? 1 : 0) + (ref !== undefined && names.has(ref) ? 1 : 0);
  return ways > 1 || [...beside, ...apart].some((branch) => forks(branch, names));
}

/** Schemas within a schema: those that judge the same value, and those that judge parts of it, each its own. */
function branchesOf(schema: JsonObject): { beside: Json[]; apart: Json[] } {
  const beside: Json[] = [];
  const apart: Json[] = [];
  for (const keyword of [...LISTS, 'prefixItems'] as const) {
    const list = member(schema, keyword);
    if (Array.isArray(list)) (keyword === 'prefixItems' ? apart : beside).push(...list);
  }
  for (const keyword of SINGLE) note(beside, member(schema, keyword));
  for (const keyword of APART) note(apart, member(schema, keyword));
  for (const keyword of [...MAPS, 'properties'] as const) {
    const map = member(schema, keyword);
    if (isObject(map)) (keyword === 'properties' ? apart : beside).push(...Object.values(map));
  }
  return { beside, apart };
}

function note(into: Json[], schema: Json | undefined): void {
  if (schema !== undefined) into.push(schema);
}

/** The components that a schema refers to, at any depth. */
function refsIn(schema: Json | undefined): string[] {
  if (!isObject(schema)) return [];
  const { beside, apart } = branchesOf(schema);
  const ref = refOf(schema);
  return [...(ref === undefined ? [] : [ref]), ...[...beside, ...apart].flatMap(refsIn)];
}

function refOf(schema: JsonObject): string | undefined {
  const ref = member(schema, '$ref');
  return typeof ref === 'string' ? ref.slice(ref.lastIndexOf('/') + 1) : undefined;
}
