/** Removes the sources of a document that cannot be served, so that the others can. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { toError } from '../../core/messages/errors.ts';
import type { ApiSnapshot, Operation } from '../../openapi/model/operation.ts';

/** The part of a snapshot that can be served, and why the other sources cannot. */
export interface Accepted {
  readonly snapshot: ApiSnapshot;
  readonly rejected: ReadonlyMap<string, Error>;
}

/**
 * Removes all operations of a source if one of them cannot be served.
 * @param check throws if an operation cannot be served.
 */
export function accept(
  snapshot: ApiSnapshot,
  check: (operation: Operation, document: OpenAPIV3_1.Document) => unknown,
): Accepted {
  const rejected = new Map<string, Error>();
  for (const operation of snapshot.operations) {
    try {
      if (!rejected.has(operation.source)) check(operation, snapshot.document);
    } catch (error) {
      rejected.set(operation.source, toError(error));
    }
  }
  return { snapshot: rejected.size === 0 ? snapshot : without(snapshot, rejected), rejected };
}

function without(snapshot: ApiSnapshot, rejected: ReadonlyMap<string, Error>): ApiSnapshot {
  const operations = snapshot.operations.filter(({ source }) => !rejected.has(source));
  const served = new Set(operations.map(({ method, path }) => `${method} ${path}`));
  const operationKeys = new Set(snapshot.operations.map(({ method, path }) => `${method} ${path}`));
  const paths: Record<string, OpenAPIV3_1.PathItemObject> = {};
  for (const [path, item] of Object.entries(snapshot.document.paths ?? {})) {
    const members = Object.entries(item ?? {}).filter(([name]) => {
      const key = `${name} ${path}`;
      return !operationKeys.has(key) || served.has(key);
    });
    if (operations.some((operation) => operation.path === path)) paths[path] = Object.fromEntries(members);
  }
  return { ...snapshot, operations, document: { ...snapshot.document, paths } };
}
