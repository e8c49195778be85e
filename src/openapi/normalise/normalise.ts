/**
 * Brings a source to OpenAPI 3.1: every reference points to a component, and every schema conforms
 * to JSON Schema 2020-12.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, pointerOf, textOf } from '../../contract/json.ts';
import { moveLaterOperations } from '../../contract/other-methods.ts';
import { type Hooks, type Kind, SECTIONS, transform, transformDocument } from '../../contract/shapes.ts';
import type { Steps } from '../../core/time/steps.ts';
import { checkPattern } from '../checks/patterns.ts';
import { References } from '../files/references.ts';
import { restoreTexts } from '../files/text-fields.ts';
import { refTo } from '../model/component-reference.ts';
import { renameLater } from '../model/later-names.ts';
import type { IngestOptions } from '../model/options.ts';
import { normaliseSchema } from '../model/schema.ts';
import { ITEM_SCHEMA } from '../model/streams.ts';
import { fromVersion32, inlineMediaTypes } from './version32.ts';

/** An OpenAPI 3.1 document, with everything that its references reach. */
export interface Normalised {
  readonly document: JsonObject;
  /** Components by section and name. */
  readonly components: Record<string, JsonObject>;
  /** JSON pointers of components in the source, by reference. */
  readonly locations: ReadonlyMap<string, string>;
  /** Methods that are not served, each with the JSON pointer of its path item in the source. */
  readonly unserved: readonly { readonly method: string; readonly pointer: string }[];
}

/** Converts a document to OpenAPI 3.1. */
export function* normalise(raw: JsonObject, options: IngestOptions): Steps<Normalised> {
  const references = yield* References.reading(raw, options.limits.components);
  const { problems, limits } = options;
  const unserved: Normalised['unserved'][number][] = [];
  const hooks = hooksFor(references, textOf(raw, 'openapi')?.startsWith('3.0') === true, options, unserved);
  const rest = { ...raw };
  delete rest['components'];
  const document = yield* transformDocument(rest, hooks);
  const components: Record<string, JsonObject> = {};
  const locations = new Map<string, string>();
  // Copying a component may add further ones to this list during the iteration.
  for (const next of references.pending) {
    const { section, name, pointer } = next;
    const copied = problems.attempt(
      () => {
        if (name.length > limits.nameLength)
          throw new ContractError(`a component name longer than ${limits.nameLength} characters`);
        references.enter(next);
        return transform(next.kind, next.value, pointer, hooks);
      },
      { pointer },
    );
    locations.set(refTo(section, name), pointer);
    if (copied !== undefined) (components[section] ??= {})[name] = copied;
    yield;
  }
  return { document: inlineMediaTypes(document, components), components, locations, unserved };
}

function hooksFor(
  references: References,
  old: boolean,
  options: IngestOptions,
  unserved: { method: string; pointer: string }[],
): Hooks {
  const { problems, limits, kind: source } = options;
  let objects = Math.max(limits.bytes / 4, 1000);
  return {
    ...(source === 'document' ? { problem: (problem: ContractError) => problems.add(problem) } : {}),
    reference: (kind, ref, pointer) =>
      ref.startsWith(DYNAMIC)
        ? references.resolve(kind, ref.slice(DYNAMIC.length), pointer, true)
        : references.resolve(kind, ref, pointer),
    enter: (kind, found, pointer) => {
      objects -= 1;
      if (objects < 0) throw new ContractError('too many objects, including those that references repeat');
      if (source === 'document') restoreTexts(kind, found);
      const object = fromVersion32(kind, found);
      if (kind === 'pathItem') {
        unserved.push(...moveLaterOperations(object).map((method) => ({ method, pointer })));
      }
      const ref = member(object, '$ref');
      if (kind === 'schema') {
        if (old && ref !== undefined) return { $ref: ref };
        takeDynamic(object, source);
        problems.attempt(() => mapDiscriminator(object, references, pointer));
        return checkPatterns(normaliseSchema(object, pointer, problems), pointer, options);
      }
      if (hasSchema(kind, object)) object['schema'] ??= {};
      if (ref !== undefined && SECTIONS[kind] !== undefined && kind !== 'pathItem') return reference(object);
      return object;
    },
    leave: nameItemSchema,
  };
}

const ITEM_SCHEMAS = ['itemSchema', ITEM_SCHEMA] as const;

/**
 * Writes the `itemSchema` of OpenAPI 3.2 as `x-item-schema`, and gives each media type of a request
 * body a schema, from which a validator can be compiled.
 */
function nameItemSchema(kind: Kind, object: JsonObject): void {
  if (kind === 'mediaType') {
    renameLater('mediaType', object);
  } else if (kind === 'requestBody') {
    const content = member(object, 'content');
    for (const media of Object.values(isObject(content) ? content : {})) {
      if (isObject(media)) media['schema'] ??= {};
    }
  }
}

/** Prefix that marks a `$ref` made from a `$dynamicRef`, until it is resolved. */
const DYNAMIC = '\0';

/** Replaces `$dynamicRef` and `$recursiveRef` by a marked `$ref`, which is resolved later. */
function takeDynamic(schema: JsonObject, source: IngestOptions['kind']): void {
  for (const keyword of ['$dynamicRef', '$recursiveRef']) {
    const ref = member(schema, keyword);
    if (ref === undefined) continue;
    if (source === 'worker') throw new ContractError(`a contract must not use ${keyword}; use $ref`);
    if (typeof ref !== 'string') throw new ContractError(`${keyword} must be a string`);
    delete schema[keyword];
    const marked = DYNAMIC + (keyword === '$dynamicRef' ? ref : '');
    if (!Object.hasOwn(schema, '$ref')) schema['$ref'] = marked;
    else {
      const all = member(schema, 'allOf');
      schema['allOf'] = [...(Array.isArray(all) ? all : []), { $ref: marked }];
    }
  }
}

/**
 * Resolves the mapping of a discriminator, which names schemas by reference or by component name.
 */
function mapDiscriminator(schema: JsonObject, references: References, pointer: string): void {
  const discriminator = member(schema, 'discriminator');
  const mapping = isObject(discriminator) ? member(discriminator, 'mapping') : undefined;
  if (!isObject(discriminator) || !isObject(mapping)) return;
  const location = `${pointer}/discriminator/mapping`;
  const entries = Object.entries(mapping).map(([value, declared]): [string, Json] => {
    const ref = typeof declared === 'string' ? references.mapped(declared) : undefined;
    return [value, ref === undefined ? declared : references.resolve('schema', ref, location)];
  });
  schema['discriminator'] = { ...discriminator, mapping: Object.fromEntries(entries) };
}

/**
 * Returns whether the object has a schema, possibly an empty one, from which a validator can be
 * compiled.
 */
function hasSchema(kind: Kind, object: JsonObject): boolean {
  if (kind === 'mediaType') return !ITEM_SCHEMAS.some((name) => Object.hasOwn(object, name));
  return (
    kind === 'parameter' && member(object, 'content') === undefined && member(object, '$ref') === undefined
  );
}

function reference(object: JsonObject): JsonObject {
  const kept = ['$ref', 'summary', 'description'].filter((name) => Object.hasOwn(object, name));
  return Object.fromEntries(kept.map((name) => [name, object[name] ?? null]));
}

/** Returns the schema without the patterns that cannot be used. */
function checkPatterns(schema: JsonObject, pointer: string, options: IngestOptions): JsonObject {
  const { problems } = options;
  const pattern = member(schema, 'pattern');
  let checked: JsonObject = schema;
  if (typeof pattern === 'string') {
    const location = `${pointer}/pattern`;
    const usable = problems.attempt(() => checkPattern(schema, pattern, location, options));
    if (usable === undefined) delete schema['pattern'];
    else checked = usable;
  }
  const properties = member(schema, 'patternProperties');
  for (const name of isObject(properties) ? Object.keys(properties) : []) {
    const location = pointer + pointerOf('patternProperties', name);
    problems.attempt(() => {
      if (checkPattern({ pattern: name }, name, location, options)['pattern'] !== undefined) return;
      throw new ContractError('patternProperties must not use a pattern that may take very long', {
        pointer: location,
      });
    });
  }
  return checked;
}
