/**
 * Parameters of one operation. Those of the path item and the operation are merged and checked, and
 * each one is assigned a field of the event data.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import type { ParameterBinding } from './operation.ts';

type Place = ParameterBinding['in'];

/**
 * Allowed styles by the place of the parameter; the first one is the default (OpenAPI 3.1,
 * 4.8.12.2).
 */
const STYLES: Readonly<Record<Place, readonly ParameterBinding['style'][]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

/** Precedence when names clash: the parameter in the earliest of these places gets the field. */
const ORDER: readonly Place[] = ['path', 'query', 'header', 'cookie'];

/**
 * Header parameters that OpenAPI requires to be ignored, because other parts of the document
 * describe them.
 */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization']);

/** One parameter: as it appears in the document, and with its `$ref` resolved. */
export interface Parameter {
  /** The parameter as the document contains it, possibly a reference. */
  readonly stands: JsonObject;
  /** The parameter with its `$ref` resolved. */
  readonly says: JsonObject;
  readonly name: string;
  readonly in: Place;
}

/**
 * Merges the parameters of the path item and the operation; those of the operation take precedence.
 *
 * @throws {ContractError} when one is not a valid parameter or is listed twice.
 */
export function mergeParameters(
  ofPath: Json | undefined,
  ofOperation: Json | undefined,
  follow: (value: Json) => Json | undefined,
): Parameter[] {
  const merged = new Map<string, Parameter>();
  for (const list of [ofPath, ofOperation]) {
    if (!Array.isArray(list)) continue;
    const seen = new Set<string>();
    for (const stands of list) {
      const parameter = readParameter(stands, follow(stands));
      if (parameter === undefined) continue;
      const name = parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name;
      const key = `${parameter.in} ${name}`;
      if (seen.has(key))
        throw new ContractError(`the ${parameter.in} parameter ${parameter.name} is there twice`);
      seen.add(key);
      merged.set(key, parameter);
    }
  }
  return [...merged.values()];
}

function readParameter(stands: Json, says: Json | undefined): Parameter | undefined {
  if (!isObject(stands) || !isObject(says)) throw new ContractError('a parameter must be an object');
  const name = member(says, 'name');
  const place = member(says, 'in');
  if (typeof name !== 'string' || name === '') throw new ContractError('a parameter must have a name');
  if (!isPlace(place)) {
    throw new ContractError(
      `the parameter ${name} must be in ${ORDER.join(', ')}, not in ${JSON.stringify(place)}`,
    );
  }
  if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return undefined;
  return { stands, says, name, in: place };
}

function isPlace(value: Json | undefined): value is Place {
  return ORDER.includes(value as Place);
}

/**
 * Assigns a field to each parameter: `x-event-field`, or else its name. If two parameters have the
 * same name, the one whose place comes later in path, query, header, cookie gets its place as a
 * prefix, such as `query_id`.
 *
 * @throws {ContractError} when two parameters still have the same field.
 */
export function assignFields(parameters: readonly Parameter[]): Map<Parameter, string> {
  const fields = new Map<Parameter, string>();
  const taken = new Set<string>();
  const take = (parameter: Parameter, field: string): void => {
    if (taken.has(field))
      throw new ContractError(`two parameters go to the field ${field} of the event data`);
    taken.add(field);
    fields.set(parameter, field);
  };
  for (const parameter of parameters) {
    const told = member(parameter.says, 'x-event-field');
    if (told === undefined) continue;
    if (typeof told !== 'string' || told === '' || told === '__proto__') {
      throw new ContractError(`x-event-field of the parameter ${parameter.name} must be the name of a field`);
    }
    take(parameter, told);
  }
  for (const place of ORDER) {
    for (const parameter of parameters) {
      if (parameter.in !== place || fields.has(parameter)) continue;
      take(parameter, taken.has(parameter.name) ? `${place}_${parameter.name}` : parameter.name);
    }
  }
  return fields;
}

/**
 * Returns the binding of one parameter.
 *
 * @param pointer JSON pointer in the served document of the parameter itself, not of a reference to
 *   it.
 * @throws {ContractError} when its style, schema or content does not conform to OpenAPI.
 */
export function bindParameter(parameter: Parameter, pointer: string): ParameterBinding {
  const { says, name } = parameter;
  const fault = (reason: string): ContractError => new ContractError(`the parameter ${name} ${reason}`);
  const content = member(says, 'content');
  const style = member(says, 'style') ?? STYLES[parameter.in][0];
  const known = STYLES[parameter.in].find((candidate) => candidate === style);
  if (known === undefined)
    throw fault(`has style ${JSON.stringify(style)}; ${STYLES[parameter.in].join(', ')} can be`);
  const common = {
    name,
    in: parameter.in,
    field: textOf(says, 'x-event-field') ?? name,
    required: parameter.in === 'path' || flag(says, 'required', false, fault),
    style: known,
    explode: flag(says, 'explode', known === 'form', fault),
    allowReserved: flag(says, 'allowReserved', false, fault),
    allowEmptyValue: flag(says, 'allowEmptyValue', false, fault),
  };
  if (content === undefined) {
    const schema = member(says, 'schema') ?? true;
    return {
      ...common,
      contentType: undefined,
      schema: schema as ParameterBinding['schema'],
      pointer: `${pointer}/schema`,
    };
  }
  const entries = isObject(content) ? Object.entries(content) : [];
  const [mediaType, media] = entries[0] ?? [];
  if (entries.length !== 1 || mediaType === undefined || !isObject(media)) {
    throw fault('must have one media type in its content');
  }
  const schema = member(media, 'schema') ?? true;
  const token = mediaType.replaceAll('~', '~0').replaceAll('/', '~1');
  return {
    ...common,
    contentType: mediaType.toLowerCase(),
    schema: schema as ParameterBinding['schema'],
    pointer: `${pointer}/content/${token}/schema`,
  };
}

function flag(
  says: JsonObject,
  name: string,
  otherwise: boolean,
  fault: (reason: string) => ContractError,
): boolean {
  const value = member(says, name) ?? otherwise;
  if (typeof value !== 'boolean') throw fault(`has a ${name} that is neither true nor false`);
  return value;
}
