/**
 * Converts a contract to an OpenAPI 3.1 document. Each event with a method and a path is an
 * operation.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { bindData } from './binding.ts';
import type { ContractDefinition, EventDefinition, SecurityDefinition } from './definition.ts';
import { ContractError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { memberOfMethod } from './other-methods.ts';
import { isResumable, repliesOf } from './replies.ts';
import { Definitions } from './schema-parts.ts';

/**
 * @throws {ContractError} when the data of an event cannot be bound to its path or has no JSON
 * Schema.
 */
export function fragmentOf(contract: ContractDefinition): OpenAPIV3_1.Document {
  const definitions = new Definitions();
  const paths: Record<string, JsonObject> = {};
  for (const [name, event] of Object.entries(contract.events)) {
    if (event.method === undefined || event.path === undefined) continue;
    const item = (paths[event.path] ??= {});
    const method = event.method.toLowerCase();
    const location = { source: contract.name, event: name, method, path: event.path };
    try {
      item[memberOfMethod(method)] = operationOf(name, event, contract, definitions);
    } catch (error) {
      throw error instanceof ContractError ? error.within({ ...error.location, ...location }) : error;
    }
  }
  const { schemas } = definitions;
  const components: JsonObject = {
    ...(Object.keys(schemas).length > 0 ? { schemas } : {}),
    ...(contract.securitySchemes === undefined
      ? {}
      : { securitySchemes: contract.securitySchemes as unknown as Json }),
  };
  const document = {
    openapi: '3.1.0',
    info: { title: contract.name, version: contract.version ?? '1.0.0', ...contract.info },
    ...(contract.tags === undefined ? {} : { tags: contract.tags }),
    paths,
    ...(Object.keys(components).length > 0 ? { components } : {}),
  };
  // A round trip through JSON gives exactly what a worker announces: no undefined members, nothing
  // shared.
  return JSON.parse(JSON.stringify(document)) as OpenAPIV3_1.Document;
}

function operationOf(
  name: string,
  event: EventDefinition,
  contract: ContractDefinition,
  definitions: Definitions,
): JsonObject {
  const { convert = true } = contract;
  const { parameters, requestBody, unknownQuery, rules } = bindData(name, event, convert, definitions);
  const description = [event.description, rules]
    .filter((text) => text !== undefined && text !== '')
    .join('\n\n');
  const security = event.security ?? contract.security;
  const operation: Record<string, unknown> = {
    'x-event-name': name,
    operationId: event.operationId,
    summary: event.summary,
    description: description === '' ? undefined : description,
    tags: event.tags,
    deprecated: event.deprecated,
    security: security === undefined ? undefined : requirements(security),
    parameters: parameters.length === 0 ? undefined : parameters,
    requestBody: requestBody?.object,
    responses: repliesOf(name, event, convert, definitions),
    'x-event-body': requestBody?.mode,
    'x-timeout-ms': event.timeout,
    'x-stall-ms': event.stallTimeout,
    'x-async': event.async,
    'x-async-timeout-ms': event.asyncTimeout,
    'x-idempotent': event.idempotent,
    'x-idempotency': event.idempotency,
    'x-etag': event.etag,
    'x-resumable': isResumable(event) ? true : undefined,
    'x-sticky-key': event.stickyKey,
    'x-version-header': contract.versionHeader,
    'x-deprecated-since': dateOf(event.deprecatedSince),
    'x-sunset': dateOf(event.sunset),
    'x-unknown-query': event.unknownQuery ?? unknownQuery,
  };
  return operation as JsonObject;
}

function dateOf(date: string | Date | undefined): string | undefined {
  return date instanceof Date ? date.toISOString() : date;
}

function requirements(security: SecurityDefinition): Json {
  return security.map((one) => (typeof one === 'string' ? { [one]: [] } : { ...one })) as unknown as Json;
}
