/**
 * Conversion of objects.
 */
import { type JsonObject } from '../json.ts';
import { mayVanish } from './array.ts';
import { allOf, anyOf, NOTHING, passesAll } from './build.ts';
import { conditionOf } from './conditions.ts';
import type { Conversion, Scope, Sketch } from './conversion.ts';
import { convertDependency, type Peers } from './dependencies.ts';
import { type Described, type DescribedRename, type DescribedRule, variantsOf } from './described.ts';
import { translate } from './regex.ts';
import { customNote } from './string.ts';

export function convertObject(converter: Conversion, described: Described, scope: Scope): Sketch {
  const { keys, patterns = [], renames = [], dependencies = [], rules = [] } = described;
  const notes: string[] = [];
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  for (const [name, child] of Object.entries(keys ?? {})) {
    properties[name] = converter.convert(child, scope, name);
    if (isRequired(child, scope)) required.push(name);
  }
  const schema: JsonObject = { type: 'object' };
  const open = isOpen(described, scope);
  if (patterns.length > 0) convertPatterns(converter, described, scope, { schema, properties, open, notes });
  else if (!open) schema['additionalProperties'] = false;
  const removed = convertRenames(renames, properties, required, schema, notes);
  const needed = required.filter((name) => !removed.has(name));
  if (Object.keys(properties).length > 0) schema['properties'] = properties;
  if (needed.length > 0) schema['required'] = needed;

  const children = Object.entries(keys ?? {});
  const peers: Peers = {
    presenceKnown: (name) => {
      const child = keys !== undefined && Object.hasOwn(keys, name) ? keys[name] : undefined;
      return (
        !removed.has(name) &&
        (child === undefined
          ? patterns.length === 0 && !stripsUnknown(scope)
          : !mayVanish(child) && !mayAppear(child))
      );
    },
    defined: (name) => keys !== undefined && Object.hasOwn(keys, name),
  };
  const together: JsonObject[] = [];
  const siblings = {
    keys: keys ?? {},
    presenceKnown: peers.presenceKnown,
    isRequired: (child: Described) => isRequired(child, scope),
  };
  for (const [name, child] of children) {
    const condition = removed.has(name) ? undefined : conditionOf(converter, name, child, siblings, scope);
    if (condition !== undefined) together.push(condition);
  }
  for (const dependency of dependencies) {
    const { schema: rule, note } = convertDependency(dependency, peers);
    if (rule === undefined) notes.push(note);
    else {
      together.push(rule);
      if (converter.mode !== 'output') notes.push(note);
    }
  }
  const counted = renames.length === 0 && !children.some(([, child]) => mayVanish(child) || mayAppear(child));
  const strips = stripsUnknown(scope) && described.flags?.unknown === undefined;
  for (const rule of rules) {
    if (rule.warn !== true) convertRule(rule, schema, notes, counted && !strips && patterns.length === 0);
  }
  return { schema: addTogether(schema, together), notes };
}

/** Adds rules between keys to the schema of the keys. */
function addTogether(schema: JsonObject, together: readonly JsonObject[]): JsonObject {
  const joined = { ...schema };
  const apart: JsonObject[] = [];
  for (const one of together) {
    if (Object.keys(one).some((keyword) => Object.hasOwn(joined, keyword))) apart.push(one);
    else Object.assign(joined, one);
  }
  if (apart.length > 0) joined['allOf'] = apart;
  return joined;
}

/** Whether a key is required, whatever the results of its `when`s. */
function isRequired(child: Described, scope: Scope): boolean {
  const inherited = child.preferences?.presence ?? scope.preferences.presence;
  const must = ({ flags = {}, type }: Described): boolean =>
    flags.failover === undefined &&
    (flags.presence ?? (type === 'alternatives' ? '' : inherited)) === 'required';
  return variantsOf(child)?.every(must) === true;
}

/** Whether Joi may see a key that the caller did not send. */
function mayAppear({ flags = {}, whens, type }: Described): boolean {
  return (
    flags.default !== undefined ||
    flags.failover !== undefined ||
    whens !== undefined ||
    type === 'alternatives' ||
    type === 'link'
  );
}

function isOpen({ flags = {}, keys, patterns }: Described, scope: Scope): boolean {
  if (keys === undefined && patterns === undefined) return true;
  return flags.unknown ?? (scope.preferences.allowUnknown === true || stripsUnknown(scope));
}

function stripsUnknown({ preferences: { stripUnknown } }: Scope): boolean {
  return stripUnknown === true || (typeof stripUnknown === 'object' && stripUnknown.objects === true);
}

interface Building {
  readonly schema: JsonObject;
  readonly properties: Readonly<Record<string, JsonObject>>;
  readonly open: boolean;
  readonly notes: string[];
}

/**
 * Joi applies the first matching pattern to unnamed keys; JSON Schema applies all matching patterns
 * to all keys.
 */
function convertPatterns(
  converter: Conversion,
  { patterns = [] }: Described,
  scope: Scope,
  { schema, properties, open, notes }: Building,
): void {
  if (patterns.some(({ matches }) => matches !== undefined)) notes.push('Its keys follow a further rule.');
  const rules = patterns.map(({ rule }) => converter.convert(rule, scope));
  const regexes = patterns.map(({ regex }) => (regex === undefined ? undefined : translate(regex)?.pattern));
  const [regex] = regexes;
  const [rule] = rules;
  const named = Object.keys(properties);
  const clash = regex !== undefined && named.some((name) => new RegExp(regex, 'u').test(name));
  if (patterns.length === 1 && regex !== undefined && rule !== undefined && !clash) {
    schema['patternProperties'] = { [regex]: rule };
    if (!open) schema['additionalProperties'] = false;
    return;
  }
  if (open) {
    notes.push('Keys of certain patterns follow further rules.');
    return;
  }
  const names: JsonObject[] = patterns.map(({ schema: key }, index) => {
    if (key !== undefined) return converter.convert(key, scope);
    const pattern = regexes[index];
    return pattern === undefined ? {} : { pattern };
  });
  const allowed = anyOf([...names, ...(named.length > 0 ? [{ enum: named }] : [])]);
  if (!passesAll(allowed)) schema['propertyNames'] = allowed;
  const value = anyOf(rules);
  if (!passesAll(value)) schema['additionalProperties'] = value;
}

/**
 * Accepts keys by the names that they are renamed from. Returns the keys without further
 * constraints.
 */
function convertRenames(
  renames: readonly DescribedRename[],
  properties: Record<string, JsonObject>,
  required: readonly string[],
  schema: JsonObject,
  notes: string[],
): Set<string> {
  const removed = new Set<string>();
  const targets = new Set(renames.map(({ to }) => to));
  for (const { from, to, options = {} } of renames) {
    if (typeof from !== 'string' || typeof to !== 'string' || targets.has(from)) {
      notes.push('Certain keys are renamed.');
      for (const name of [...required, ...Object.keys(properties)]) {
        removed.add(name);
        properties[name] = {};
      }
      schema['additionalProperties'] = true;
      delete schema['propertyNames'];
      delete schema['patternProperties'];
      continue;
    }
    notes.push(`${from} is another name for ${to}.`);
    removed.add(from).add(to);
    const own = properties[from];
    const target = properties[to] ?? {};
    properties[from] = own === undefined ? target : anyOf([own, target]);
    if (options.override === true || options.multiple === true) properties[to] = {};
  }
  return removed;
}

function convertRule(rule: DescribedRule, schema: JsonObject, notes: string[], counted: boolean): void {
  const { name, args = {} } = rule;
  const limit = args['limit'];
  switch (name) {
    case 'min':
    case 'max':
    case 'length':
      if (!counted || typeof limit !== 'number') {
        notes.push(`Rule: ${name} ${typeof limit === 'number' ? `${limit} keys` : 'by another value'}.`);
        return;
      }
      if (name !== 'max') schema['minProperties'] = limit;
      if (name !== 'min') schema['maxProperties'] = limit;
      return;
    case 'assert':
      notes.push(
        typeof args['message'] === 'string' ? `Rule: ${args['message']}.` : 'Its members must fit together.',
      );
      return;
    case 'custom':
      notes.push(customNote(rule));
      return;
    case 'instance':
    case 'regex':
    case 'ref':
    case 'schema':
      Object.assign(schema, allOf([schema, NOTHING]));
      return;
    default:
      notes.push(`Rule: ${name}.`);
  }
}
