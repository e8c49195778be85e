/**
 * Finds components that one value may reach many times. For example, a folder or a group with
 * children that are each a folder or a group doubles the cost with each level. Validators cache the
 * results of such components.
 */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { nameOfRef } from '../model/component-reference.ts';
import { type Component, componentsOf } from './strong-components.ts';

/** Maximum number of schemas that one value may reach through a component without a cache. */
const MAX_SCHEMAS = 64;

/** Keywords whose schemas apply to the same value as the keywords next to them. */
const LISTS = ['allOf', 'anyOf', 'oneOf'] as const;
const SINGLE = ['not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const;
const MAPS = ['dependentSchemas', 'patternProperties'] as const;
/**
 * Keywords whose schemas each apply to a different part of the value: no part reaches two of them.
 */
const APART = ['items', 'additionalProperties', 'unevaluatedProperties', 'unevaluatedItems'] as const;

/**
 * Returns the names of the components that one value may reach many times.
 *
 * @param schemas normalised schemas, by name.
 */
export function repeatedComponents(schemas: JsonObject): ReadonlySet<string> {
  const repeated = new Set<string>();
  /** How many schemas one value may reach through each component. */
  const widths = new Map<string, number>();
  for (const component of componentsOf(schemas, refsIn)) {
    const width = widthOf(schemas, component, widths);
    const many = width > MAX_SCHEMAS || (component.circular && forksWithin(schemas, component));
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

/**
 * Returns how many schemas one value, or one part of it, may reach, including those behind
 * references.
 */
function width(schema: Json | undefined, ofRef: (name: string) => number): number {
  if (!isObject(schema)) return 1;
  const { beside, apart } = branchesOf(schema);
  let sum = beside.reduce<number>((total, branch) => total + width(branch, ofRef), 0);
  const ref = refOf(schema);
  if (ref !== undefined) sum += ofRef(ref);
  return Math.min(Number.MAX_SAFE_INTEGER, sum + Math.max(1, ...apart.map((part) => width(part, ofRef))));
}

/** Returns whether a value can reach a cycle of references in two ways. */
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

/**
 * Splits the subschemas of a schema into those that apply to the same value and those that apply to
 * different parts of it.
 */
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

/** Returns the components that a schema refers to, at any depth. */
function refsIn(schema: Json | undefined): string[] {
  if (!isObject(schema)) return [];
  const { beside, apart } = branchesOf(schema);
  const ref = refOf(schema);
  return [...(ref === undefined ? [] : [ref]), ...[...beside, ...apart].flatMap(refsIn)];
}

function refOf(schema: JsonObject): string | undefined {
  const ref = member(schema, '$ref');
  return typeof ref === 'string' ? nameOfRef(ref) : undefined;
}
