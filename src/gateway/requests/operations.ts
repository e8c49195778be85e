/**
 * Adds the gateway's own operations to a document with asynchronous operations, and to these the
 * header Prefer and the response 202. Without such operations the document is not changed.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, pointerOf } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import { LATER_REPLY_MARK } from '../../openapi/model/extensions.ts';
import type { ApiSnapshot, Operation, Schema } from '../../openapi/model/operation.ts';
import { operationOf } from '../../openapi/model/operations.ts';
import { parseTemplate } from '../paths/path-pattern.ts';
import { ownPaths, preferParameter } from './own-operations.ts';
import { MAX_WAIT } from './prefer.ts';
import { STATUS_SCHEMA } from './status.ts';

const SCHEMA = 'AsynchronousRequest';

/** Source of the gateway's own operations. */
const SOURCE = 'gateway';

/** @param path path of the requests, such as `/requests`; undefined if the gateway has none. */
export function withRequestOperations(snapshot: ApiSnapshot, path: string | undefined): ApiSnapshot {
  if (path === undefined) return snapshot;
  const asynchronous = snapshot.operations.filter((operation) => operation.async !== undefined);
  if (asynchronous.length === 0) return snapshot;
  const given = snapshot.document as unknown as JsonObject;
  const components = (given['components'] ?? {}) as JsonObject;
  const schemas = (components['schemas'] ?? {}) as JsonObject;
  const name = freeName(schemas);
  const ref: JsonObject = { $ref: `#/components/schemas/${name}` };
  const own = ownPaths(path, ref, securityOf(asynchronous));
  const keys = new Set(Object.keys(own).map((one) => parseTemplate(one).key));
  const isTaken = (operation: Operation): boolean => keys.has(parseTemplate(operation.path).key);
  const paths: JsonObject = {};
  for (const [key, item] of Object.entries((given['paths'] ?? {}) as JsonObject)) {
    if (!keys.has(parseTemplate(key).key)) paths[key] = item;
  }
  for (const operation of asynchronous) if (!isTaken(operation)) extend(paths, operation, ref);
  const unavailable = takeUnavailable(paths, snapshot.operations);
  const document: JsonObject = {
    ...given,
    paths: { ...paths, ...own, ...unavailable },
    components: { ...components, schemas: { ...schemas, [name]: STATUS_SCHEMA as unknown as Json } },
  };
  const operations = snapshot.operations.filter((operation) => !isTaken(operation));
  return {
    ...snapshot,
    document: document as unknown as OpenAPIV3_1.Document,
    operations: [
      ...operations.map((one) => (one.async === undefined ? one : with202(one, ref))),
      ...operationsOf(document, own),
    ],
  };
}

/** Removes the paths without a worker, which come last in the document, and returns them. */
function takeUnavailable(paths: JsonObject, operations: readonly Operation[]): JsonObject {
  const served = new Set(operations.filter(({ available }) => available).map(({ path }) => path));
  const taken: JsonObject = {};
  for (const [path, item] of Object.entries(paths)) {
    if (served.has(path)) continue;
    taken[path] = item;
    delete paths[path];
  }
  return taken;
}

/** A caller may see its requests with any credentials with which it could have made them. */
function securityOf(operations: readonly Operation[]): Json {
  const alternatives = new Map<string, Json>();
  for (const { security } of operations) {
    const listed = security.length === 0 ? [{}] : security;
    for (const one of listed) alternatives.set(JSON.stringify(one), one as unknown as Json);
  }
  const all = [...alternatives.values()];
  return all.length === 1 && alternatives.has('{}') ? [] : all;
}

/** Adds the header Prefer and the response 202 to an asynchronous operation. */
function extend(paths: JsonObject, { path, method, async }: Operation, ref: JsonObject): void {
  const item = paths[path] as JsonObject;
  const key = memberOfMethod(method);
  const operation = item[key] as JsonObject;
  const listed = (operation['parameters'] ?? []) as Json[];
  const text =
    async === 'required'
      ? `\`wait=N\`: answer with the reply if it arrives within N seconds (at most ${MAX_WAIT}).`
      : `\`respond-async\`: answer 202 once the request is stored; \`respond-async, wait=N\`: only if the reply does not arrive within N seconds (at most ${MAX_WAIT}).`;
  const prefer = listed.some(isPrefer) ? [] : [preferParameter(text)];
  const header = (description: string): JsonObject => ({ description, schema: { type: 'string' } });
  const accepted: JsonObject = {
    description: 'The request is stored, and its reply follows later.',
    headers: {
      Location: header('Where the state of the request is.'),
      'Retry-After': header('Seconds until the state may have changed.'),
      'Preference-Applied': header('The preferences that the gateway applied.'),
    },
    content: { 'application/json': { schema: ref } },
    [LATER_REPLY_MARK]: true,
  };
  // A document may describe its own 202.
  const responses = { '202': accepted, ...(operation['responses'] as JsonObject) };
  paths[path] = { ...item, [key]: { ...operation, parameters: [...listed, ...prefer], responses } };
}

function isPrefer(parameter: Json): boolean {
  if (!isObject(parameter)) return false;
  const { name, in: location } = parameter;
  return location === 'header' && typeof name === 'string' && name.toLowerCase() === 'prefer';
}

/** The operation with the reply 202, which has no schema of the operation's own. */
function with202(operation: Operation, ref: JsonObject): Operation {
  const { path, method, replies } = operation;
  if (replies.some(({ status }) => status === '202')) return operation;
  const pointer = pointerOf(
    'paths',
    path,
    memberOfMethod(method),
    'responses',
    '202',
    'content',
    'application/json',
    'schema',
  );
  const reply = { status: '202', mediaType: 'application/json', schema: ref as Schema, pointer };
  return { ...operation, replies: [...replies, reply] };
}

/** The gateway's own operations in a document. */
export function operationsOf(document: JsonObject, own: Record<string, JsonObject>): Operation[] {
  return Object.entries(own).flatMap(([path, item]) =>
    Object.keys(item).map((method) =>
      operationOf(document, { path, method: method, source: SOURCE, available: true }),
    ),
  );
}

function freeName(schemas: JsonObject): string {
  let name = SCHEMA;
  for (let n = 2; Object.hasOwn(schemas, name); n++) name = `${SCHEMA}${n}`;
  return name;
}
