/** Writes the replies of an event as an OpenAPI Responses Object. */
import { STATUS_CODES } from 'node:http';
import type { EventDefinition, Reply, ReplyDefinition } from './definition.ts';
import { type JsonObject, textOf } from './json.ts';
import type { Definitions } from './schema-parts.ts';
import { isSchema, jsonSchemaOf } from './standard-schema.ts';
import { isStreamed, type StreamedReply } from './stream-replies.ts';
import { eventSchema, isBinaryType, isTextSchema } from './stream-types.ts';

/** Returns the Responses Object of an event. */
export function repliesOf(
  name: string,
  event: EventDefinition,
  convert: boolean,
  definitions: Definitions,
): JsonObject {
  const replies = Object.entries(event.replies ?? {});
  const responses: JsonObject = {};
  if (replies.length === 0)
    responses['200'] = { description: 'OK', content: { 'application/json': { schema: {} } } };
  for (const [status, reply] of replies) {
    if (isStreamed(reply)) {
      Object.assign(responses, streamOf(`${name}.${status}`, status, reply, convert, definitions));
      continue;
    }
    const { description, data, contentType = 'application/json', headers } = definitionOf(reply);
    const converted = data === undefined ? undefined : jsonSchemaOf(data, 'output', convert);
    const text =
      description ?? (converted === undefined ? undefined : textOf(converted.schema, 'description'));
    const response: JsonObject = { description: text ?? STATUS_CODES[status] ?? 'Reply' };
    if (converted !== undefined && !BODILESS.has(status)) {
      const schema = definitions.take(`${name}.${status}`, converted);
      response['content'] = { [contentType]: { schema } };
    }
    if (headers !== undefined) response['headers'] = headersOf(headers);
    responses[status] = response;
  }
  // Replies that the event declares itself take precedence over those of `ranges`.
  for (const [status, reply] of replies) {
    if (!isStreamed(reply) || !reply.ranges || status !== '200') continue;
    responses['206'] ??= partOf(responses['200'] as JsonObject);
    responses['416'] ??= { description: 'Range Not Satisfiable' };
  }
  return responses;
}

/** Whether a stream of an event continues on another worker. */
export function isResumable({ replies }: EventDefinition): boolean {
  return Object.values(replies ?? {}).some((reply) => isStreamed(reply) && reply.resumable);
}

function streamOf(
  name: string,
  status: string,
  reply: StreamedReply,
  convert: boolean,
  definitions: Definitions,
): JsonObject {
  const { description, headers, contentType } = reply;
  return {
    [status]: {
      description: description ?? STATUS_CODES[status] ?? 'Reply',
      content: { [contentType]: mediaOf(name, reply, convert, definitions) },
      ...(headers === undefined ? {} : { headers: headersOf(headers) }),
    },
  };
}

function mediaOf(
  name: string,
  { stream, items, contentType }: StreamedReply,
  convert: boolean,
  definitions: Definitions,
): JsonObject {
  // Bytes have no schema in OpenAPI 3.1 (4.8.14); `x-stream` marks types that could be whole texts.
  if (stream === 'bytes') return { schema: {}, ...(isBinaryType(contentType) ? {} : { 'x-stream': true }) };
  if (items === undefined) return {};
  const schema = definitions.take(name, jsonSchemaOf(items, 'output', convert));
  const isText = isTextSchema(definitions.follow(schema));
  return { 'x-item-schema': stream === 'events' ? eventSchema(schema, isText) : schema };
}

/** The reply to a request for a part of the content (RFC 9110, 15.3.7). */
function partOf(whole: JsonObject): JsonObject {
  const headers = { 'Content-Range': { description: 'Position of the part', schema: { type: 'string' } } };
  return { description: 'Partial Content', content: whole['content'] ?? {}, headers };
}

/** Statuses without a body (RFC 9110). */
const BODILESS = new Set(['204', '205', '304']);

function definitionOf(reply: Exclude<Reply, StreamedReply>): ReplyDefinition {
  if (reply === null) return {};
  if (typeof reply === 'string') return { description: reply };
  return isSchema(reply) ? { data: reply } : reply;
}

function headersOf(headers: NonNullable<ReplyDefinition['headers']>): JsonObject {
  const objects: JsonObject = {};
  for (const [name, header] of Object.entries(headers)) {
    objects[name] =
      typeof header === 'string'
        ? { description: header, schema: { type: 'string' } }
        : (header as unknown as JsonObject);
  }
  return objects;
}
