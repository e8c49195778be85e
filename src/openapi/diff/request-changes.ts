/** Changes of the parameters and the body of an operation. */
import { canonical, type Json } from '../../contract/json.ts';
import { loweredLimits } from '../checks/stream-compatibility.ts';
import type { Operation, ParameterBinding } from '../model/operation.ts';
import type { Report } from './change.ts';
import { type BothSides, requestChanges } from './schema-changes.ts';

/** Reports how the parameters changed. Path parameters are matched by position, not by name. */
export function compareParameters(
  sides: BothSides,
  before: Operation,
  after: Operation,
  report: Report,
): void {
  const now = new Map(after.parameters.map((one) => [keyOf(one, after), one]));
  for (const one of before.parameters) {
    const key = keyOf(one, before);
    const later = now.get(key);
    now.delete(key);
    if (later === undefined) reportRemoved(one, after, report);
    else compareParameter(sides, one, later, report);
  }
  for (const one of now.values()) {
    if (one.required) {
      report('breaking', 'request-parameter-required', `${nameOf(one)} is new and required`);
    } else report('info', 'request-parameter-added', `${nameOf(one)} is new`);
  }
}

function reportRemoved(one: ParameterBinding, after: Operation, report: Report): void {
  const rejects = one.in === 'query' && after.unknownQuery === 'reject';
  const text = `${nameOf(one)} was removed`;
  if (rejects)
    report('breaking', 'request-parameter-removed', `${text}, and unknown query names are rejected`);
  else report('warning', 'request-parameter-removed', text);
}

function compareParameter(
  sides: BothSides,
  before: ParameterBinding,
  after: ParameterBinding,
  report: Report,
): void {
  const name = nameOf(before);
  if (before.name !== after.name && before.in === 'path') {
    report('info', 'request-parameter-renamed', `${name} is called ${after.name}`);
  }
  if (serialised(before) !== serialised(after)) {
    report('breaking', 'request-parameter-style-changed', `${name} is serialised differently`);
  }
  if (!before.required && after.required) {
    report('breaking', 'request-parameter-required', `${name} is required`);
  } else if (before.required && !after.required) {
    report('info', 'request-parameter-optional', `${name} is optional`);
  }
  if (before.allowEmptyValue && !after.allowEmptyValue) {
    report('breaking', 'request-parameter-not-empty', `${name} must not be empty`);
  }
  requestChanges(sides, before.schema as Json, after.schema as Json, name, report);
}

/** Reports how the request body changed. */
export function compareBody(sides: BothSides, before: Operation, after: Operation, report: Report): void {
  if (before.bodies.length === 0) {
    if (after.bodyRequired) report('breaking', 'request-body-required', 'the body is new and required');
    else if (after.bodies.length > 0) report('info', 'request-body-added', 'the body is new');
    return;
  }
  if (after.bodies.length === 0) {
    report('breaking', 'request-body-removed', 'the body was removed');
    return;
  }
  if (!before.bodyRequired && after.bodyRequired) {
    report('breaking', 'request-body-required', 'the body is required');
  } else if (before.bodyRequired && !after.bodyRequired) {
    report('info', 'request-body-optional', 'the body is optional');
  }
  compareUpload(before, after, report);
  for (const { mediaType, schema, encoding } of before.bodies) {
    const later = after.bodies.find((one) => one.mediaType === mediaType);
    const what = `the body (${mediaType})`;
    if (later === undefined) {
      report('breaking', 'request-media-type-removed', `${what} is no longer accepted`);
      continue;
    }
    if (canonical(encoding as unknown as Json) !== canonical(later.encoding as unknown as Json)) {
      report('breaking', 'request-encoding-changed', `${what} is encoded differently`);
    }
    requestChanges(sides, schema as Json, later.schema as Json, what, report);
  }
  for (const { mediaType } of after.bodies) {
    if (before.bodies.some((one) => one.mediaType === mediaType)) continue;
    report('info', 'request-media-type-added', `the body (${mediaType}) is accepted`);
  }
}

/** Reports how the limits of a streamed body changed. Clients send it as any other body. */
function compareUpload(before: Operation, after: Operation, report: Report): void {
  if (before.streamsBody !== after.streamsBody) {
    const text = after.streamsBody
      ? 'is now sent to workers while it arrives'
      : 'is now sent to workers whole';
    report('info', 'request-body-stream-changed', `the body ${text}`);
  }
  for (const text of loweredLimits(before.uploadLimits, after.uploadLimits)) {
    report('breaking', 'request-upload-limit-lowered', text);
  }
}

function keyOf(parameter: ParameterBinding, { path }: Operation): string {
  if (parameter.in === 'path') return `path ${namesIn(path).indexOf(parameter.name)}`;
  const name = parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name;
  return `${parameter.in} ${name}`;
}

/** The names in a path template, in order. */
function namesIn(path: string): string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name ?? '');
}

function nameOf({ in: location, name }: ParameterBinding): string {
  return `the ${location} parameter ${name}`;
}

function serialised({ style, explode, contentType }: ParameterBinding): string {
  return JSON.stringify([style, explode, contentType]);
}
