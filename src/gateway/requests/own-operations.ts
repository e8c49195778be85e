/** The gateway's own operations on asynchronous requests, as its document shows them. */
import type { Json, JsonObject } from '../../contract/json.ts';
import { withErrorResponses } from '../../openapi/model/error-responses.ts';
import { PREFERENCE_MARK } from '../../openapi/model/extensions.ts';
import { REQUEST_EVENTS } from '../../openapi/model/own-events.ts';
import { MAX_WAIT } from './prefer.ts';

const TAG = 'Asynchronous requests';

const ID: JsonObject = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

/**
 * The paths of the operations.
 * @param path path of the requests, such as `/requests`.
 * @param schema reference to the schema of the state.
 * @param security alternatives, as in an operation.
 */
export function ownPaths(path: string, schema: JsonObject, security: Json): Record<string, JsonObject> {
  const text = `\`wait=N\`: answer when the request has ended, or after N seconds (at most ${MAX_WAIT}).`;
  const waiting = [preferParameter(text)];
  const operations: JsonObject[] = [
    {
      'x-event-name': REQUEST_EVENTS.show,
      operationId: 'getAsynchronousRequest',
      summary: 'State of an asynchronous request',
      parameters: waiting,
      responses: { '200': state('The state.', schema) },
    },
    {
      'x-event-name': REQUEST_EVENTS.cancel,
      operationId: 'cancelAsynchronousRequest',
      summary: 'Cancel an asynchronous request',
      responses: {
        '200': state('It has ended.', schema),
        '202': state('It is being cancelled.', schema),
      },
    },
    {
      'x-event-name': REQUEST_EVENTS.result,
      operationId: 'getAsynchronousResult',
      summary: 'Result of an asynchronous request: status, headers and body of its reply',
      parameters: waiting,
      responses: {
        default: { description: 'The reply.', content: { '*/*': {} } },
        '409': { description: 'The request has not ended, or was cancelled.' },
        '410': { description: 'The result was too large to be stored.' },
      },
    },
    {
      'x-event-name': REQUEST_EVENTS.watch,
      operationId: 'watchAsynchronousRequest',
      summary: 'States of an asynchronous request as server-sent events, until it has ended',
      responses: { '200': events(schema) },
    },
  ];
  const [show, cancel, result, watch] = operations.map((operation) => completed(operation, security));
  return {
    [`${path}/{id}`]: { get: show, delete: cancel } as JsonObject,
    [`${path}/{id}/result`]: { get: result } as JsonObject,
    [`${path}/{id}/events`]: { get: watch } as JsonObject,
  };
}

/** The header Prefer, which the gateway reads itself. */
export function preferParameter(description: string): JsonObject {
  return { name: 'Prefer', in: 'header', description, schema: { type: 'string' }, [PREFERENCE_MARK]: true };
}

function completed(operation: JsonObject, security: Json): JsonObject {
  const parameters = [ID, ...((operation['parameters'] ?? []) as Json[])];
  const responses: JsonObject = {
    ...(operation['responses'] as JsonObject),
    '404': { description: 'There is no such request of this caller.' },
  };
  const complete: JsonObject = { ...operation, tags: [TAG], security, parameters, responses };
  return { ...complete, responses: withErrorResponses(complete, (response) => response) };
}

function state(description: string, schema: JsonObject): JsonObject {
  return { description, content: { 'application/json': { schema } } };
}

function events(schema: JsonObject): JsonObject {
  const data = { type: 'string', contentMediaType: 'application/json', contentSchema: schema };
  const properties: JsonObject = { event: { const: 'state' }, data };
  const item: JsonObject = { type: 'object', required: ['event', 'data'], properties };
  return {
    description: 'The state, and again after each change.',
    content: { 'text/event-stream': { 'x-item-schema': item } },
  };
}
