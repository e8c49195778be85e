/**
 * A large document in parts, for Swagger UI: an index of the operations, and a document of its own for
 * each operation. Swagger UI takes tens of seconds to process a document of some megabytes at once.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { HTTP_METHODS } from '../../contract/path-checks.ts';
import { type Components, partsOfRef, resolve } from '../../openapi/model/component-reference.ts';

/** Limits of a document that Swagger UI loads as a whole: operations, and bytes as JSON. */
export const WHOLE = { operations: 300, bytes: 1_000_000 };

/** Members of a document that contain operations. */
const SECTIONS = ['paths', 'webhooks'] as const;

/** Members of a path item that Swagger UI shows as operations. */
const METHODS: ReadonlySet<string> = new Set<string>(HTTP_METHODS);

/** Members of an operation that its line in the list shows. */
const LISTED = ['tags', 'summary', 'operationId', 'deprecated', 'security', 'x-available'];

/** An operation of a document. */
export interface OperationPlace {
  /** `paths` or `webhooks`. */
  readonly section: string;
  /** The path, or the name of the webhook. */
  readonly name: string;
  readonly method: string;
}

/** Returns the index of a document: its operations without parameters, bodies and responses. */
export function indexOf(served: OpenAPIV3_1.Document): JsonObject {
  const document = served as unknown as JsonObject;
  const components = componentsOf(document);
  const lists = SECTIONS.flatMap((section) => {
    const items = member(document, section);
    if (!isObject(items)) return [];
    const listed = Object.entries(items).map(([name, item]) => [name, listedItem(components, item)] as const);
    return [[section, Object.fromEntries(listed)] as const];
  });
  const securitySchemes = member(components, 'securitySchemes') ?? {};
  return { ...document, 'x-index': true, ...Object.fromEntries(lists), components: { securitySchemes } };
}

/**
 * Returns a document of one operation and the components that it refers to; undefined if the document
 * has no such operation.
 */
export function operationDocument(
  served: OpenAPIV3_1.Document,
  { section, name, method }: OperationPlace,
): JsonObject | undefined {
  const document = served as unknown as JsonObject;
  const items = SECTIONS.some((known) => known === section) ? member(document, section) : undefined;
  const components = componentsOf(document);
  const item = resolve(components, isObject(items) ? member(items, name) : undefined).value;
  if (!isObject(item) || !METHODS.has(method) || !isObject(member(item, method))) return undefined;
  const isOther = (key: string): boolean => key !== method && (METHODS.has(key) || key.startsWith('x-'));
  const kept = Object.fromEntries(Object.entries(item).filter(([key]) => !isOther(key)));
  const { openapi = '3.1.0', info = {} } = document;
  const part = { openapi, info, paths: {}, [section]: Object.fromEntries([[name, kept]]) };
  return { ...part, components: referenced(components, kept) };
}

function componentsOf(document: JsonObject): Components & JsonObject {
  const components = member(document, 'components');
  return (isObject(components) ? components : {}) as Components & JsonObject;
}

function listedItem(components: Components, value: Json): JsonObject {
  const item = resolve(components, value).value;
  if (!isObject(item)) return {};
  const operations = Object.entries(item).filter(([method]) => METHODS.has(method));
  return Object.fromEntries(operations.map(([method, operation]) => [method, listed(operation)]));
}

function listed(operation: Json): JsonObject {
  return Object.fromEntries(Object.entries(operation ?? {}).filter(([name]) => LISTED.includes(name)));
}

/** Returns the components that a value refers to, directly or through other components. */
function referenced(components: Components, root: Json): JsonObject {
  const found = new Map<string, Map<string, Json>>();
  const pending: Json[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const each of Object.values(value)) pending.push(each as Json);
    const ref = isObject(value) ? member(value, '$ref') : undefined;
    if (typeof ref !== 'string') continue;
    const [section, name] = partsOfRef(ref);
    const known = found.get(section) ?? new Map<string, Json>();
    const component = member((member(components, section) ?? {}) as JsonObject, name);
    if (component === undefined || known.has(name)) continue;
    found.set(section, known.set(name, component));
    pending.push(component);
  }
  return Object.fromEntries([...found].map(([section, all]) => [section, Object.fromEntries(all)]));
}
