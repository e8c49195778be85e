/**
 * Maps the fields of event data to HTTP: path, query, header, cookie or body.
 */
import { suggestion } from '../core/messages/suggestion.ts';
import type { EventDefinition, Placement } from './definition.ts';
import { ContractError } from './errors.ts';
import { filesIn } from './form-file-schema.ts';
import { isObject, type Json, type JsonObject, member, textOf } from './json.ts';
import { namesIn } from './path-checks.ts';
import { type Definitions, type Field, fieldsOf, withoutFields } from './schema-parts.ts';
import { jsonSchemaOf } from './standard-schema.ts';
import { checkFormFields, takesFields, uploadBody } from './upload-binding.ts';
import { isMultipartType, type Upload } from './uploads.ts';

/** HTTP binding of the fields of one event. */
export interface Binding {
  readonly parameters: readonly JsonObject[];
  readonly requestBody:
    | { readonly object: JsonObject; readonly mode: 'flat' | 'nested' | undefined }
    | undefined;
  readonly unknownQuery: 'ignore' | undefined;
  /** Text of the rules between fields, when there is no body schema to hold them. */
  readonly rules: string | undefined;
}

/** Methods whose fields come from the query by default. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** Name of the field that takes the whole body. */
const BODY = 'body';

interface FieldSource {
  readonly in: 'path' | 'query' | 'header' | 'cookie' | 'body';
  readonly name: string;
}

/** @throws {ContractError} when a field cannot be bound as declared. */
export function bindData(
  name: string,
  event: EventDefinition,
  convert: boolean,
  definitions: Definitions,
): Binding {
  const inPath = namesIn(event.path ?? '');
  const { data } = event;
  if (data === undefined) {
    const parameters = inPath.map((field) => parameterOf(field, { in: 'path', name: field }, undefined));
    const requestBody = event.body && uploadOf(event.body, { type: 'object' });
    return { parameters, requestBody, unknownQuery: undefined, rules: undefined };
  }
  const text = definitions.take(name, jsonSchemaOf(data, 'text', convert));
  const fields = fieldsOf(text, definitions);
  const locations = sourcesOf(event, inPath, fields);
  const parameters = [...locations]
    .filter(([, location]) => location.in !== 'body')
    .map(([field, location]) => parameterOf(field, location, fields.get(field)));
  const { description, additionalProperties } = definitions.follow(text);
  const open = additionalProperties !== false;
  const { stickyKey } = event;
  if (stickyKey !== undefined && !open && !fields.has(stickyKey)) {
    const hint = suggestion(stickyKey, [...fields.keys()]);
    throw new ContractError(`stickyKey: the data has no field ${stickyKey}${hint}`);
  }
  const requestBody =
    BODILESS.has(event.method ?? '') && ![...locations.values()].some((location) => location.in === 'body')
      ? undefined
      : bodyOf(name, event, convert, definitions, locations, open);
  return {
    parameters,
    requestBody,
    unknownQuery: open ? 'ignore' : undefined,
    rules: requestBody === undefined && typeof description === 'string' ? description : undefined,
  };
}

function sourcesOf(
  event: EventDefinition,
  inPath: readonly string[],
  fields: ReadonlyMap<string, Field>,
): Map<string, FieldSource> {
  const declared = new Map(
    Object.entries(event.in ?? {}).map(([field, placement]) => [field, parse(field, placement)]),
  );
  for (const [field, location] of declared) {
    const names = [...fields.keys()];
    if (!fields.has(field))
      throw new ContractError(`in: the data has no field ${field}${suggestion(field, names)}`);
    if (location.in === 'path' && !inPath.includes(location.name)) {
      const hint = suggestion(`{${location.name}}`, inBraces(inPath));
      throw new ContractError(`in: the path has no {${location.name}}${hint}`);
    }
    if (location.in === 'body' && field !== BODY)
      throw new ContractError(`in: only a field named ${BODY} can take the whole body`);
  }
  const whole = declared.get(BODY)?.in === 'body';
  const rest = whole || BODILESS.has(event.method ?? '') || !takesFields(event.body) ? 'query' : 'body';
  const locations = new Map<string, FieldSource>();
  for (const field of inPath) {
    const other = declared.get(field);
    if (other !== undefined && other.in !== 'path')
      throw new ContractError(`in: ${field} is in the path already`);
    if (!fields.has(field)) {
      const free = [...fields.keys()].filter((name) => !inPath.includes(name));
      const hint = suggestion(`{${field}}`, inBraces(free));
      throw new ContractError(`the data has no field ${field}, which the path names${hint}`);
    }
    locations.set(field, { in: 'path', name: field });
  }
  for (const field of fields.keys()) {
    if (!locations.has(field)) locations.set(field, declared.get(field) ?? { in: rest, name: field });
  }
  return locations;
}

function inBraces(names: readonly string[]): string[] {
  return names.map((name) => `{${name}}`);
}

function parse(field: string, placement: Placement): FieldSource {
  const [where = '', ...names] = placement.split(':');
  const known = (['path', 'query', 'header', 'cookie', 'body'] as const).find((one) => one === where);
  if (known === undefined) {
    const hint = suggestion(where, ['path', 'query', 'header', 'cookie', 'body']);
    throw new ContractError(`in: ${JSON.stringify(placement)} is not a valid location of ${field}${hint}`);
  }
  return { in: known, name: names.join(':') || field };
}

function parameterOf(field: string, location: FieldSource, of: Field | undefined): JsonObject {
  const schemas = of === undefined || of.schemas.length === 0 ? [{ type: 'string' }] : of.schemas;
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  const only = distinct.length === 1 ? distinct[0] : undefined;
  const all: JsonObject = isObject(only) ? only : { anyOf: distinct };
  const { description, deprecated, ...schema } = all;
  const parameter: JsonObject = {
    name: location.name,
    in: location.in,
    required: location.in === 'path' || of?.required === true,
    ...(typeof description === 'string' ? { description } : {}),
    ...(deprecated === true ? { deprecated } : {}),
    schema,
  };
  if (location.in === 'query' && isObjectType(schema))
    Object.assign(parameter, { style: 'deepObject', explode: true });
  if (location.name !== field) parameter['x-event-field'] = field;
  return parameter;
}

function isObjectType(schema: JsonObject): boolean {
  return member(schema, 'type') === 'object';
}

function bodyOf(
  name: string,
  event: EventDefinition,
  convert: boolean,
  definitions: Definitions,
  locations: ReadonlyMap<string, FieldSource>,
  open: boolean,
): Binding['requestBody'] {
  if (event.data === undefined) return undefined;
  const json = definitions.take(name, jsonSchemaOf(event.data, 'json', convert));
  const elsewhere = new Set(
    [...locations].filter(([, location]) => location.in !== 'body').map(([field]) => field),
  );
  if (event.body !== undefined && !takesFields(event.body)) return uploadOf(event.body, undefined);
  const whole = event.in?.[BODY] === 'body';
  if (whole) {
    const field = fieldsOf(json, definitions).get(BODY);
    const schemas = field?.schemas ?? [];
    const schema = schemas.length === 1 ? (schemas[0] ?? true) : { anyOf: schemas };
    return { object: bodyObject(event, schema, field?.required === true), mode: 'nested' };
  }
  if (elsewhere.size === locations.size && !open && event.body === undefined) return undefined;
  const left = withoutFields(json, elsewhere, definitions);
  if (event.body !== undefined) return uploadOf(event.body, formOf(event.body, left, definitions));
  const schema = certainlyObject(left, definitions, 0) ? left : { type: 'object', allOf: [left] };
  const required =
    [...fieldsOf(left, definitions).values()].some((field) => field.required) ||
    needsOneOf(left, definitions);
  return { object: bodyObject(event, schema, required), mode: 'flat' };
}

function uploadOf(upload: Upload, form: JsonObject | undefined): Binding['requestBody'] {
  const isForm = takesFields(upload);
  return { object: uploadBody(upload, isForm ? form : undefined), mode: isForm ? 'flat' : undefined };
}

/** The schema of the form fields of an upload. */
function formOf(upload: Upload, schema: JsonObject, definitions: Definitions): JsonObject {
  const { description: _description, ...form } = definitions.follow(schema);
  if (textOf(form, 'type') !== 'object') {
    throw new ContractError('body: the form fields of an upload must be one object, without alternatives');
  }
  checkFormFields(upload, fieldsOf(form, definitions), definitions);
  return form;
}

/** Whether each alternative requires members, as `or` and `xor` of Joi do, so that `{}` is not valid. */
function needsOneOf(schema: Json, definitions: Definitions): boolean {
  const followed = isObject(schema) ? definitions.follow(schema) : {};
  return ['anyOf', 'oneOf'].some((keyword) => {
    const alternatives = member(followed, keyword);
    if (!Array.isArray(alternatives)) return false;
    const requires = (one: Json): boolean => {
      const names = isObject(one) ? member(one, 'required') : undefined;
      return Array.isArray(names) && names.length > 0;
    };
    return alternatives.length > 0 && alternatives.every(requires);
  });
}

function bodyObject(event: EventDefinition, schema: Json, required: boolean): JsonObject {
  const types = event.bodyTypes ?? ['application/json'];
  const encoding = fileEncoding(event, types);
  const mediaOf = (type: string): JsonObject =>
    isMultipartType(type) && Object.keys(encoding).length > 0 ? { schema, encoding } : { schema };
  const content = Object.fromEntries(types.map((type): [string, Json] => [type, mediaOf(type)]));
  return { ...(required ? { required } : {}), content };
}

/** The Encoding Objects (OpenAPI 3.1, 4.8.15) of files that are fields of the data. */
function fileEncoding(event: EventDefinition, types: readonly string[]): JsonObject {
  const files = filesIn(event.data);
  const [first] = files.keys();
  if (first !== undefined && !types.every(isMultipartType)) {
    throw new ContractError(
      `data: ${first} is a formFile(), which requires bodyTypes: ['multipart/form-data'], got ${types.join(', ')}`,
    );
  }
  return Object.fromEntries(
    [...files].flatMap(([name, accepted]): [string, Json][] =>
      accepted.length === 0 ? [] : [[name, { contentType: accepted.join(', ') }]],
    ),
  );
}

function certainlyObject(schema: Json, definitions: Definitions, depth: number): boolean {
  if (!isObject(schema) || depth > 20) return false;
  const followed = definitions.follow(schema);
  if (textOf(followed, 'type') === 'object') return true;
  const inner = (keyword: string): Json[] => {
    const list = member(followed, keyword);
    return Array.isArray(list) ? list : [];
  };
  const check = (one: Json): boolean => certainlyObject(one, definitions, depth + 1);
  if (inner('allOf').some(check)) return true;
  return ['anyOf', 'oneOf'].some((keyword) => inner(keyword).length > 0 && inner(keyword).every(check));
}
