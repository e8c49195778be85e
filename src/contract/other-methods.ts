/**
 * Operations of HTTP methods that have no member of their own in a path item of OpenAPI 3.1. Version
 * 3.2 has the member `query`, and `additionalOperations` for any other method. In documents of version
 * 3.1, and so in the project, they are extensions: `x-operation-query`, `x-operation-copy`.
 */
import { METHODS } from 'node:http';
import { isObject, type JsonObject, member } from './json.ts';
import { HTTP_METHODS, type HttpMethod } from './path-checks.ts';

const PREFIX = 'x-operation-';

const FIXED: ReadonlySet<string> = new Set(HTTP_METHODS);

/**
 * The methods besides those of OpenAPI 3.1 that the HTTP parser of Node.js takes. CONNECT opens a
 * tunnel (RFC 9110, 9.3.6), and so is not a request for a resource.
 */
export const OTHER_METHODS: readonly HttpMethod[] = METHODS.filter((name) => name !== 'CONNECT')
  .map((name) => name.toLowerCase())
  .filter((method) => !FIXED.has(method));

/** Methods that an operation may have. */
const SERVED: readonly HttpMethod[] = [...HTTP_METHODS, ...OTHER_METHODS];

/** The member of a path item that has the operation of a method. */
export function memberOfMethod(method: HttpMethod): string {
  return FIXED.has(method) ? method : `${PREFIX}${method}`;
}

/** The operations of a path item in the form of version 3.1. */
export function* operationsIn(item: JsonObject): Iterable<readonly [HttpMethod, JsonObject]> {
  for (const method of SERVED) {
    const operation = member(item, memberOfMethod(method));
    if (isObject(operation)) yield [method, operation];
  }
}

/**
 * Gives the operations of OpenAPI 3.2 in a path item their names in 3.1. Changes the object.
 *
 * @returns the methods that Node.js does not take, or that OpenAPI does not permit there. Their
 *   operations are removed.
 */
export function moveLaterOperations(item: JsonObject): string[] {
  const query = member(item, 'query');
  const additional = member(item, 'additionalOperations');
  delete item['query'];
  delete item['additionalOperations'];
  const found = [
    ...(isObject(query) ? [['QUERY', query] as const] : []),
    ...(isObject(additional) ? Object.entries(additional) : []),
  ];
  const unserved: string[] = [];
  for (const [name, operation] of found) {
    // Methods are case-sensitive (RFC 9110, 9.1).
    const method = name.toLowerCase();
    const key = memberOfMethod(method);
    const isServed = OTHER_METHODS.includes(method) && name === name.toUpperCase();
    if (!isServed || Object.hasOwn(item, key)) unserved.push(name);
    else item[key] = operation;
  }
  return unserved;
}

/** Gives the operations their names in 3.2 again. Changes the object. */
export function restoreLaterOperations(item: JsonObject): void {
  const additional: JsonObject = {};
  for (const method of OTHER_METHODS) {
    const key = memberOfMethod(method);
    const operation = member(item, key);
    if (operation === undefined) continue;
    delete item[key];
    if (method === 'query') item['query'] = operation;
    else additional[method.toUpperCase()] = operation;
  }
  if (Object.keys(additional).length > 0) item['additionalOperations'] = additional;
}
