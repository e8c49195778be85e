/**
 * The structure of OpenAPI 3.0, 3.1 and 3.2 documents as a table, and a copy function that knows the
 * kind of object at each position. It distinguishes a `$ref` from a property named `$ref`, and a
 * schema from an example.
 */
import type { Steps } from '../core/time/steps.ts';
import { ContractError } from './errors.ts';
import { escapeToken, isObject, type Json, type JsonObject, member } from './json.ts';
import { memberOfMethod, OTHER_METHODS } from './other-methods.ts';

/** Kinds of objects in a document, by their names in the specification. */
export type Kind =
  | 'document'
  | 'components'
  | 'pathItem'
  | 'operation'
  | 'parameter'
  | 'header'
  | 'requestBody'
  | 'mediaType'
  | 'encoding'
  | 'response'
  | 'callback'
  | 'link'
  | 'example'
  | 'securityScheme'
  | 'schema';

type Form = 'one' | 'list' | 'map';
type Fields = Readonly<Record<string, readonly [Form, Kind]>>;

const PARAMETER: Fields = {
  schema: ['one', 'schema'],
  content: ['map', 'mediaType'],
  examples: ['map', 'example'],
};

const OTHER_OPERATIONS: Fields = Object.fromEntries(
  OTHER_METHODS.map((method) => [memberOfMethod(method), ['one', 'operation']]),
);

const FIELDS: Readonly<Record<Kind, Fields>> = {
  document: {
    paths: ['map', 'pathItem'],
    webhooks: ['map', 'pathItem'],
    components: ['one', 'components'],
  },
  components: {
    schemas: ['map', 'schema'],
    responses: ['map', 'response'],
    parameters: ['map', 'parameter'],
    examples: ['map', 'example'],
    requestBodies: ['map', 'requestBody'],
    headers: ['map', 'header'],
    securitySchemes: ['map', 'securityScheme'],
    links: ['map', 'link'],
    callbacks: ['map', 'callback'],
    pathItems: ['map', 'pathItem'],
    mediaTypes: ['map', 'mediaType'],
  },
  pathItem: {
    parameters: ['list', 'parameter'],
    get: ['one', 'operation'],
    put: ['one', 'operation'],
    post: ['one', 'operation'],
    delete: ['one', 'operation'],
    options: ['one', 'operation'],
    head: ['one', 'operation'],
    patch: ['one', 'operation'],
    trace: ['one', 'operation'],
    query: ['one', 'operation'],
    additionalOperations: ['map', 'operation'],
    ...OTHER_OPERATIONS,
  },
  operation: {
    parameters: ['list', 'parameter'],
    requestBody: ['one', 'requestBody'],
    responses: ['map', 'response'],
    callbacks: ['map', 'callback'],
  },
  parameter: PARAMETER,
  header: PARAMETER,
  requestBody: { content: ['map', 'mediaType'] },
  mediaType: {
    schema: ['one', 'schema'],
    itemSchema: ['one', 'schema'],
    'x-item-schema': ['one', 'schema'],
    examples: ['map', 'example'],
    encoding: ['map', 'encoding'],
  },
  encoding: { headers: ['map', 'header'] },
  response: { headers: ['map', 'header'], content: ['map', 'mediaType'], links: ['map', 'link'] },
  callback: {},
  link: {},
  example: {},
  securityScheme: {},
  schema: {
    properties: ['map', 'schema'],
    patternProperties: ['map', 'schema'],
    dependentSchemas: ['map', 'schema'],
    $defs: ['map', 'schema'],
    definitions: ['map', 'schema'],
    prefixItems: ['list', 'schema'],
    allOf: ['list', 'schema'],
    anyOf: ['list', 'schema'],
    oneOf: ['list', 'schema'],
    items: ['one', 'schema'],
    contains: ['one', 'schema'],
    not: ['one', 'schema'],
    if: ['one', 'schema'],
    then: ['one', 'schema'],
    else: ['one', 'schema'],
    additionalProperties: ['one', 'schema'],
    unevaluatedProperties: ['one', 'schema'],
    unevaluatedItems: ['one', 'schema'],
    propertyNames: ['one', 'schema'],
    contentSchema: ['one', 'schema'],
  },
};

/** Section of `components` for each kind that can be referenced. */
export const SECTIONS: Readonly<Partial<Record<Kind, string>>> = {
  schema: 'schemas',
  response: 'responses',
  parameter: 'parameters',
  example: 'examples',
  requestBody: 'requestBodies',
  header: 'headers',
  securityScheme: 'securitySchemes',
  link: 'links',
  callback: 'callbacks',
  pathItem: 'pathItems',
  mediaType: 'mediaTypes',
};

const KINDS: ReadonlyMap<string, Kind> = new Map(
  Object.entries(SECTIONS).map(([kind, section]) => [section, kind as Kind]),
);

/** Kind of the objects in a section of `components`. */
export function kindOf(section: string): Kind {
  return KINDS.get(section) ?? 'schema';
}

/** Callbacks of a copy. */
export interface Hooks {
  /**
   * Called with the copy of an object before its `$ref` and fields are processed. May change it, or
   * return a replacement.
   */
  enter?(kind: Kind, object: JsonObject, pointer: string): JsonObject;
  /** Called with the copy of an object after its fields are processed. May change it. */
  leave?(kind: Kind, object: JsonObject): void;
  /** Called with each `$ref`; returns the content for the copy. */
  reference?(kind: Kind, ref: string, pointer: string): string;
  /**
   * Called with each problem; the copy omits the invalid part. Without this callback, the first
   * problem is thrown.
   */
  problem?(problem: ContractError): void;
}

/**
 * Copies the object at `pointer` and applies the callbacks. Values outside the table are shared,
 * not copied.
 * @throws {ContractError} when a value is not the required object or array.
 */
export function transform(kind: Kind, value: Json, pointer: string, hooks: Hooks): Json {
  if (kind === 'schema' && typeof value === 'boolean') return value;
  const copied = entered(kind, value, pointer, hooks);
  for (const [name, form, of] of fieldsOf(kind, copied)) {
    const field = member(copied, name);
    // YAML reads an empty member as null.
    if (field === null) delete copied[name];
    else if (field !== undefined) {
      const location = `${pointer}/${escapeToken(name)}`;
      setOrDelete(copied, name, transformField(form, of, field, location, hooks));
    }
  }
  hooks.leave?.(kind, copied);
  return copied;
}

/**
 * Like {@link transform}, for a whole document, in steps of one map member, such as a path item.
 */
export function* transformDocument(value: Json, hooks: Hooks): Steps<JsonObject> {
  const copied = entered('document', value, '', hooks);
  for (const [name, form, of] of fieldsOf('document', copied)) {
    const field = member(copied, name);
    const location = `/${escapeToken(name)}`;
    if (field === null) delete copied[name];
    else if (form === 'map' && isObject(field))
      copied[name] = yield* transformMap(of, field, location, hooks);
    else if (field !== undefined) {
      setOrDelete(copied, name, transformField(form, of, field, location, hooks));
    }
  }
  return copied;
}

function setOrDelete(object: JsonObject, name: string, value: Json | undefined): void {
  if (value === undefined) delete object[name];
  else object[name] = value;
}

/** Copies the object itself, with its own reference resolved. */
function entered(kind: Kind, value: Json, pointer: string, hooks: Hooks): JsonObject {
  if (!isObject(value)) throw new ContractError(`the ${kind} must be an object`, { pointer });
  let copied: JsonObject = { ...value };
  if (hooks.enter !== undefined) copied = hooks.enter(kind, copied, pointer);
  // Not earlier: `enter` may have moved the reference into a subschema, and it must be resolved
  // once.
  const ref = member(copied, '$ref');
  if (SECTIONS[kind] !== undefined && ref !== undefined) {
    if (typeof ref !== 'string') throw new ContractError('$ref must be a string', { pointer });
    if (hooks.reference !== undefined) copied['$ref'] = hooks.reference(kind, ref, pointer);
  }
  return copied;
}

/** Yields the fields of an object that contain other objects: name, form and kind. */
export function* fieldsOf(kind: Kind, object: JsonObject): Iterable<readonly [string, Form, Kind]> {
  if (kind === 'callback') {
    for (const name of Object.keys(object)) {
      if (name !== '$ref' && !name.startsWith('x-')) yield [name, 'one', 'pathItem'];
    }
    return;
  }
  const fields = FIELDS[kind];
  for (const name of Object.keys(object)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined) yield [name, ...field];
  }
}

function transformField(
  form: Form,
  kind: Kind,
  value: Json,
  pointer: string,
  hooks: Hooks,
): Json | undefined {
  if (form === 'one') return attempt(kind, value, pointer, hooks);
  if (form === 'list' ? !Array.isArray(value) : !isObject(value)) {
    const problem = new ContractError(`must be an ${form === 'list' ? 'array' : 'object'}`, { pointer });
    if (hooks.problem === undefined) throw problem;
    hooks.problem(problem);
    return undefined;
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => attempt(kind, item, `${pointer}/${index}`, hooks));
    return items.filter((item) => item !== undefined);
  }
  const copied: JsonObject = {};
  for (const [name, item] of Object.entries(value as JsonObject)) {
    copyMember(copied, kind, name, item, pointer, hooks);
  }
  return copied;
}

function* transformMap(kind: Kind, map: JsonObject, pointer: string, hooks: Hooks): Steps<JsonObject> {
  const copied: JsonObject = {};
  for (const [name, item] of Object.entries(map)) {
    copyMember(copied, kind, name, item, pointer, hooks);
    yield;
  }
  return copied;
}

/** Copies a member of a map of objects. */
function copyMember(
  copied: JsonObject,
  kind: Kind,
  name: string,
  item: Json,
  pointer: string,
  hooks: Hooks,
): void {
  const location = `${pointer}/${escapeToken(name)}`;
  const one = isExtension(kind, name) ? item : attempt(kind, item, location, hooks);
  if (one !== undefined) copied[name] = one;
}

/** Whether a member of a map of objects is an extension instead. */
export function isExtension(kind: Kind, name: string): boolean {
  return name.startsWith('x-') && (kind === 'pathItem' || kind === 'response');
}

/** Like {@link transform}; undefined for a value with a problem that the callbacks accept. */
function attempt(kind: Kind, value: Json, pointer: string, hooks: Hooks): Json | undefined {
  if (hooks.problem === undefined) return transform(kind, value, pointer, hooks);
  try {
    return transform(kind, value, pointer, hooks);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    hooks.problem(error.around({ pointer }));
    return undefined;
  }
}
