/** Builds small OpenAPI documents for tests. */
import { ApiRegistry } from '../../../src/openapi/index.ts';

type Json = Record<string, unknown>;

/**
 * Returns a registry with one document of these paths. An operation without an event is named after
 * its path.
 */
export function apiOf(
  paths: Record<string, Record<string, Json>>,
  components: Json = {},
  rest: Json = {},
): ApiRegistry {
  const registry = new ApiRegistry();
  registry.put('test', documentOf(paths, components, rest));
  return registry;
}

/** Returns a document with these paths. */
export function documentOf(
  paths: Record<string, Record<string, Json>>,
  components: Json = {},
  rest: Json = {},
): Json {
  const named = Object.entries(paths).map(([path, item]) => {
    const operations = Object.entries(item).map(([method, operation]) => {
      const event = `${method}${path.replace(/[^a-z]+/gi, '.')}`.replace(/\.$/, '');
      return [method, { 'x-event-name': event, responses: { 200: { description: 'ok' } }, ...operation }];
    });
    return [path, Object.fromEntries(operations)];
  });
  return {
    openapi: '3.1.0',
    info: { title: 'Test', version: '1' },
    paths: Object.fromEntries(named),
    components,
    ...rest,
  };
}

/** Returns a parameter object. */
export function parameter(name: string, place: string, schema: unknown, more: Json = {}): Json {
  return { name, in: place, required: place === 'path', schema, ...more };
}

/** Returns a JSON request body. */
export function jsonBody(schema: unknown, more: Json = {}): Json {
  return { requestBody: { required: true, content: { 'application/json': { schema } }, ...more } };
}
