/** Changes of the responses of an operation. */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { type Components, resolve } from '../model/component-reference.ts';
import type { Report } from './change.ts';
import { type BothSides, responseChanges } from './schema-changes.ts';

/** The responses of one version of an operation. */
export interface Responses {
  readonly components: Components;
  readonly operation: JsonObject;
}

/** Reports how statuses, headers, media types and schemas changed. */
export function compareResponses(
  sides: BothSides,
  before: Responses,
  after: Responses,
  report: Report,
): void {
  const [old, now] = [responsesOf(before), responsesOf(after)];
  for (const [status, response] of old) {
    const later = now.get(status);
    const what = `the response ${status}`;
    if (later !== undefined) compareResponse(sides, [before, response], [after, later], what, report);
    else if (/^[45]/.test(status)) report('info', 'response-error-removed', `${what} was removed`);
    else report('breaking', 'response-removed', `${what} was removed`);
  }
  for (const status of now.keys()) {
    if (!old.has(status)) report('info', 'response-added', `the response ${status} is new`);
  }
}

type Side = readonly [Responses, JsonObject];

function compareResponse(sides: BothSides, old: Side, now: Side, what: string, report: Report): void {
  const [types, laterTypes] = [contentOf(old[1]), contentOf(now[1])];
  for (const [type, media] of types) {
    const later = laterTypes.get(type);
    const text = `${what} (${type})`;
    if (later === undefined) report('breaking', 'response-media-type-removed', `${text} was removed`);
    else responseChanges(sides, schemaOf(media), schemaOf(later), text, report);
  }
  for (const type of laterTypes.keys()) {
    if (!types.has(type)) report('info', 'response-media-type-added', `${what} (${type}) is new`);
  }
  const [headers, laterHeaders] = [headersOf(old), headersOf(now)];
  for (const [name, required] of headers) {
    const text = `${what}: the header ${name}`;
    const later = laterHeaders.get(name);
    if (later === undefined) {
      report(required ? 'breaking' : 'warning', 'response-header-removed', `${text} was removed`);
    } else if (required && !later) report('breaking', 'response-header-optional', `${text} may be missing`);
  }
  for (const name of laterHeaders.keys()) {
    if (!headers.has(name)) report('info', 'response-header-added', `${what}: the header ${name} is new`);
  }
}

function responsesOf({ components, operation }: Responses): Map<string, JsonObject> {
  const responses = member(operation, 'responses');
  const found = new Map<string, JsonObject>();
  for (const [status, response] of Object.entries(isObject(responses) ? responses : {})) {
    const { value } = resolve(components, response);
    if (!status.startsWith('x-') && isObject(value)) found.set(status.toUpperCase(), value);
  }
  return found;
}

/** Media types without parameters, with their objects. */
function contentOf(response: JsonObject): Map<string, Json> {
  const content = member(response, 'content');
  const entries = Object.entries(isObject(content) ? content : {});
  return new Map(entries.map(([type, media]) => [type.split(';')[0]?.trim().toLowerCase() ?? type, media]));
}

function schemaOf(media: Json): Json {
  return (isObject(media) ? member(media, 'schema') : undefined) ?? true;
}

/** Headers by lower-case name, with whether they are required. */
function headersOf([{ components }, response]: Side): Map<string, boolean> {
  const headers = member(response, 'headers');
  const found = new Map<string, boolean>();
  for (const [name, header] of Object.entries(isObject(headers) ? headers : {})) {
    const { value } = resolve(components, header);
    found.set(name.toLowerCase(), isObject(value) && member(value, 'required') === true);
  }
  return found;
}
