/** Derives the operations that the gateway serves from a normalised document. */
import { isObject, type Json, type JsonObject, member, pointerOf, textOf } from '../../contract/json.ts';
import { hasMembers } from '../../contract/media-types.ts';
import { IDEMPOTENT_METHODS } from '../../contract/methods.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import { type Components, resolve } from './component-reference.ts';
import { PREFERENCE_MARK, secondsOf, sunsetDate, VERSION_MARK } from './extensions.ts';
import { idempotencyOf, KEY_MARK } from './idempotency.ts';
import type {
  BodyBinding,
  FieldEncoding,
  HttpMethod,
  Operation,
  ParameterBinding,
  ReplyBinding,
  Schema,
} from './operation.ts';
import { bindParameter, mergeParameters } from './parameters.ts';
import { streamFieldsOf } from './streams.ts';

/** Identifies an operation, with what the registry knows about it. */
export interface OperationEntry {
  readonly path: string;
  readonly method: HttpMethod;
  readonly source: string;
  readonly available: boolean;
}

/**
 * Returns the operation at a path and method of a normalised document. All of it was checked when
 * its source was added.
 */
export function operationOf(document: JsonObject, entry: OperationEntry): Operation {
  const { path, method } = entry;
  const paths = document['paths'] as JsonObject;
  const key = memberOfMethod(method);
  const operation = (paths[path] as JsonObject)[key] as JsonObject;
  const pointer = pointerOf('paths', path, key);
  const timeout = member(operation, 'x-timeout-ms');
  const asyncTimeout = member(operation, 'x-async-timeout-ms');
  const body = bodyOf(document, operation, pointer);
  return {
    method,
    path,
    eventName: textOf(operation, 'x-event-name') ?? '',
    operationId: textOf(operation, 'operationId'),
    source: entry.source,
    parameters: parametersOf(document, operation, pointer),
    ...body,
    unknownQuery: member(operation, 'x-unknown-query') === 'ignore' ? 'ignore' : 'reject',
    timeout: typeof timeout === 'number' ? timeout : undefined,
    async: asyncOf(member(operation, 'x-async')),
    asyncTimeout: typeof asyncTimeout === 'number' ? asyncTimeout : undefined,
    idempotent: (member(operation, 'x-idempotent') ?? IDEMPOTENT_METHODS.has(method)) === true,
    idempotency: idempotencyOf(operation),
    deprecated: member(operation, 'deprecated') === true,
    deprecatedSince: secondsOf(member(operation, 'x-deprecated-since')),
    sunset: sunsetDate(member(operation, 'x-sunset')),
    etag: member(operation, 'x-etag') === true,
    stickyKey: textOf(operation, 'x-sticky-key'),
    versionHeader: textOf(operation, 'x-version-header'),
    security: (member(operation, 'security') ?? []) as unknown as Operation['security'],
    replies: repliesOf(document, operation, pointer),
    ...streamFieldsOf(componentsOf(document), operation, pointer),
    available: entry.available,
  };
}

function asyncOf(value: Json | undefined): Operation['async'] {
  if (value === 'required') return value;
  return value === true ? 'optional' : undefined;
}

function parametersOf(document: JsonObject, operation: JsonObject, pointer: string): ParameterBinding[] {
  const listed = member(operation, 'parameters');
  const parameters = mergeParameters([], listed, (value) => resolve(componentsOf(document), value, '').value);
  const bound = parameters.filter(({ resolved }) => !isForGateway(resolved));
  return bound.map((parameter) => {
    const index = Array.isArray(listed) ? listed.indexOf(parameter.declared) : 0;
    const found = resolve(componentsOf(document), parameter.declared, `${pointer}/parameters/${index}`);
    return bindParameter(parameter, found.pointer);
  });
}

const GATEWAY_MARKS = [VERSION_MARK, KEY_MARK, PREFERENCE_MARK] as const;

/** Whether the gateway itself reads a parameter, which is then not event data. */
function isForGateway(parameter: JsonObject): boolean {
  return GATEWAY_MARKS.some((mark) => member(parameter, mark) === true);
}

function bodyOf(
  document: JsonObject,
  operation: JsonObject,
  pointer: string,
): Pick<Operation, 'bodies' | 'bodyRequired' | 'bodyMode'> {
  const found = resolve(componentsOf(document), member(operation, 'requestBody'), `${pointer}/requestBody`);
  if (!isObject(found.value)) return { bodies: [], bodyRequired: false, bodyMode: 'none' };
  const content = member(found.value, 'content');
  const bodies: BodyBinding[] = Object.entries(isObject(content) ? content : {}).map(
    ([mediaType, media]) => ({
      mediaType: mediaType.toLowerCase(),
      schema: ((isObject(media) ? member(media, 'schema') : undefined) ?? true) as Schema,
      pointer: found.pointer + pointerOf('content', mediaType, 'schema'),
      encoding: encodingOf(isObject(media) ? member(media, 'encoding') : undefined),
    }),
  );
  const isForm = bodies.some(({ mediaType }) => hasMembers(mediaType));
  const streamed = member(found.value, 'x-stream') === true;
  return {
    bodies,
    bodyRequired: member(found.value, 'required') === true,
    bodyMode:
      streamed && !isForm ? 'none' : member(operation, 'x-event-body') === 'nested' ? 'nested' : 'flat',
  };
}

const STYLES = ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'] as const;

function encodingOf(encoding: Json | undefined): Readonly<Record<string, FieldEncoding>> {
  const read: Record<string, FieldEncoding> = {};
  for (const [field, how] of Object.entries(isObject(encoding) ? encoding : {})) {
    if (!isObject(how)) continue;
    const declared = member(how, 'style');
    const style = STYLES.find((one) => one === declared) ?? 'form';
    // If any of the three is present, the content type is ignored (OpenAPI 3.1.1, Encoding
    // Object).
    const styled = ['style', 'explode', 'allowReserved'].some((name) => member(how, name) !== undefined);
    const explode = member(how, 'explode');
    read[field] = {
      contentType: textOf(how, 'contentType'),
      style: styled ? style : undefined,
      explode: typeof explode === 'boolean' ? explode : style === 'form',
    };
  }
  return read;
}

function repliesOf(document: JsonObject, operation: JsonObject, pointer: string): Operation['replies'] {
  const responses = member(operation, 'responses');
  const replies: ReplyBinding[] = [];
  for (const [status, response] of Object.entries(isObject(responses) ? responses : {})) {
    const found = resolve(componentsOf(document), response, pointer + pointerOf('responses', status));
    const content = isObject(found.value) ? member(found.value, 'content') : undefined;
    for (const [mediaType, media] of Object.entries(isObject(content) ? content : {})) {
      if (!/^application\/([^;]+\+)?json\s*(;|$)/i.test(mediaType) || /problem\+json/i.test(mediaType))
        continue;
      const schema = (isObject(media) ? member(media, 'schema') : undefined) ?? true;
      replies.push({
        mediaType,
        status: status.toUpperCase() === 'DEFAULT' ? 'default' : status.toUpperCase(),
        schema: schema as Schema,
        pointer: found.pointer + pointerOf('content', mediaType, 'schema'),
      });
    }
  }
  return replies;
}

function componentsOf(document: JsonObject): Components {
  return (document['components'] ?? {}) as unknown as Components;
}
