/**
 * From what a source brings to a normalised document: OpenAPI 3.1 throughout, all references to components,
 * and every operation complete in itself (parameters, security, event name, fields, body mode).
 */
import { claimsOf, isExtension } from '../contract/claims.ts';
import { ContractError } from '../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, pointerOf, textOf } from '../contract/json.ts';
import { type Kind, SECTIONS, transform } from '../contract/shapes.ts';
import { checkComplexity } from './complexity.ts';
import { checkReferences } from './cycles.ts';
import type { Ingested, IngestedOperation } from './ingested.ts';
import { type ContractLimits, plainCopy } from './limits.ts';
import { HTTP_METHODS } from './operation.ts';
import { OperationReader } from './operation-reader.ts';
import type { IngestOptions } from './options.ts';
import { parsePath, parsePrefix } from './path-template.ts';
import { checkPattern } from './patterns.ts';
import { References } from './references.ts';
import { normaliseSchema } from './schema.ts';

/**
 * Reads a source: JSON text, or a value as JSON.parse gives it.
 * @throws ContractError naming what is wrong and where; nothing has been changed then.
 */
export function ingest(input: unknown, options: IngestOptions): Ingested {
  const raw = parse(input, options.limits);
  checkVersion(raw);
  // Before references are followed: as a router reads the contract.
  if (options.kind === 'worker') claimsOf(raw);
  const prefix = parsePrefix(options.prefix);
  const { document, components } = normalise(raw, options);
  checkReferences(components, options.limits.references);
  const operations = readOperations(document, components, prefix, options);
  if (Number.isFinite(options.limits.schemas)) {
    checkComplexity(document['paths'] as JsonObject, operations, components, options.limits.schemas);
  }
  return { document, components, operations };
}

function parse(input: unknown, limits: ContractLimits): JsonObject {
  let value = input;
  if (typeof input === 'string' || Buffer.isBuffer(input)) {
    if (Buffer.byteLength(input) > limits.bytes) throw new ContractError(`larger than ${limits.bytes} bytes`);
    try {
      value = JSON.parse(input.toString());
    } catch (cause) {
      throw new ContractError(
        `is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
        {},
        { cause },
      );
    }
  }
  const raw = plainCopy(value, limits);
  if (!isObject(raw)) throw new ContractError('a contract must be an object');
  return raw;
}

function checkVersion(raw: JsonObject): void {
  const version = member(raw, 'openapi');
  if (member(raw, 'swagger') !== undefined) {
    throw new ContractError('Swagger 2.0 is not supported; convert it to OpenAPI 3', { pointer: '/swagger' });
  }
  if (version !== undefined && (typeof version !== 'string' || !/^3\.[01]\.\d+/.test(version))) {
    throw new ContractError(`OpenAPI ${JSON.stringify(version)} is not supported; 3.0 and 3.1 are`, {
      pointer: '/openapi',
    });
  }
}

/** The document in 3.1, and its components with all that references reach. */
function normalise(raw: JsonObject, options: IngestOptions): Pick<Ingested, 'document' | 'components'> {
  const references = new References(raw, options.limits.components);
  const old = textOf(raw, 'openapi')?.startsWith('3.0') === true;
  let objects = Math.max(options.limits.bytes / 4, 1000);
  const hooks = {
    reference: (kind: Kind, ref: string, pointer: string) => references.resolve(kind, ref, pointer),
    enter: (kind: Kind, object: JsonObject, pointer: string): JsonObject => {
      objects -= 1;
      if (objects < 0) throw new ContractError('too many objects, counting what references repeat');
      const ref = member(object, '$ref');
      if (kind === 'schema') {
        if (old && ref !== undefined) return { $ref: ref };
        mapDiscriminator(object, references, pointer);
        return checkPatterns(normaliseSchema(object, pointer), pointer, options);
      }
      if (judges(kind, object)) object['schema'] ??= {};
      if (ref !== undefined && SECTIONS[kind] !== undefined && kind !== 'pathItem') return reference(object);
      return object;
    },
  };
  const rest = { ...raw };
  delete rest['components'];
  const document = transform('document', rest, '', hooks) as JsonObject;
  const components: Record<string, JsonObject> = {};
  // Copying one may find more: the list grows while it is walked.
  for (const next of references.pending) {
    if (next.name.length > options.limits.nameLength) {
      throw new ContractError(`a name longer than ${options.limits.nameLength}`, { pointer: next.pointer });
    }
    const section = (components[next.section] ??= {});
    section[next.name] = transform(next.kind, next.value, next.pointer, hooks);
  }
  return { document, components };
}

/** A discriminator's mapping names schemas, by reference or by their mere names, which are left as they are. */
function mapDiscriminator(schema: JsonObject, references: References, pointer: string): void {
  const discriminator = member(schema, 'discriminator');
  const mapping = isObject(discriminator) ? member(discriminator, 'mapping') : undefined;
  if (!isObject(discriminator) || !isObject(mapping)) return;
  const place = `${pointer}/discriminator/mapping`;
  const entries = Object.entries(mapping).map(([value, ref]): [string, Json] => [
    value,
    typeof ref === 'string' && ref.startsWith('#/') ? references.resolve('schema', ref, place) : ref,
  ]);
  schema['discriminator'] = { ...discriminator, mapping: Object.fromEntries(entries) };
}

/** Whether it has a schema, if only an empty one: a validator can be compiled from it then. */
function judges(kind: Kind, object: JsonObject): boolean {
  if (kind === 'mediaType') return true;
  return (
    kind === 'parameter' && member(object, 'content') === undefined && member(object, '$ref') === undefined
  );
}

function reference(object: JsonObject): JsonObject {
  const kept = ['$ref', 'summary', 'description'].filter((name) => Object.hasOwn(object, name));
  return Object.fromEntries(kept.map((name) => [name, object[name] ?? null]));
}

function checkPatterns(schema: JsonObject, pointer: string, options: IngestOptions): JsonObject {
  const pattern = member(schema, 'pattern');
  const checked =
    typeof pattern === 'string' ? checkPattern(schema, pattern, `${pointer}/pattern`, options) : schema;
  const properties = member(schema, 'patternProperties');
  for (const name of isObject(properties) ? Object.keys(properties) : []) {
    const place = pointer + pointerOf('patternProperties', name);
    if (checkPattern({ pattern: name }, name, place, options)['pattern'] === undefined) {
      throw new ContractError('a pattern that may take very long cannot choose properties', {
        pointer: place,
      });
    }
  }
  return checked;
}

function readOperations(
  document: JsonObject,
  components: Record<string, JsonObject>,
  prefix: string,
  options: IngestOptions,
): IngestedOperation[] {
  const paths = member(document, 'paths') ?? {};
  if (!isObject(paths)) throw new ContractError('paths must be an object', { pointer: '/paths' });
  const reader = new OperationReader(document, components, options);
  const found: IngestedOperation[] = [];
  const normalised: JsonObject = {};
  for (const [path, item] of Object.entries(paths)) {
    if (isExtension(path)) continue;
    const place = { path, pointer: pointerOf('paths', path) };
    const template = located(place, () => parsePath(prefix + path));
    if (template.path.length > options.limits.pathLength) {
      throw new ContractError(`longer than ${options.limits.pathLength} characters`, place);
    }
    const pathItem = located(place, () => reader.pathItem(item));
    const operations: JsonObject = {};
    for (const method of HTTP_METHODS) {
      const operation = member(pathItem, method);
      if (!isObject(operation)) continue;
      const at = { path: template.path, method, pointer: `${place.pointer}/${method}` };
      const read = located(at, () => reader.operation(method, path, template, pathItem, operation));
      if (read === undefined) continue;
      operations[method] = read.operation;
      found.push({
        path: template.path,
        shape: template.shape,
        names: template.names,
        method,
        eventName: read.eventName,
      });
      if (found.length > options.limits.operations) {
        throw new ContractError(`more than ${options.limits.operations} operations`);
      }
    }
    if (Object.keys(operations).length > 0) normalised[template.path] = operations;
  }
  document['paths'] = normalised;
  keepPathItems(document, components);
  return found;
}

/** Path items of `paths` stand at their operations now; webhooks and callbacks still refer to theirs. */
function keepPathItems(document: JsonObject, components: Record<string, JsonObject>): void {
  const { pathItems = {}, ...others } = components;
  const kept: JsonObject = {};
  const reference = (kind: Kind, ref: string): string => {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    if (kind === 'pathItem' && !Object.hasOwn(kept, name)) kept[name] = member(pathItems, name) ?? {};
    return ref;
  };
  transform('document', { ...document, components: others }, '', { reference });
  // A list of names that grows is walked to its new end.
  const names = Object.keys(kept);
  for (const name of names) {
    transform('pathItem', kept[name] ?? {}, '', { reference });
    names.push(...Object.keys(kept).slice(names.length));
  }
  delete components['pathItems'];
  if (names.length > 0) components['pathItems'] = kept;
}

function located<T>(place: { path: string; method?: string; pointer: string }, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ContractError) throw error.within({ ...place, ...error.place });
    throw error;
  }
}
