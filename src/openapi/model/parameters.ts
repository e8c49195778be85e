/**
 * Parameters of one operation. Those of the path item and the operation are merged and checked, and
 * each one is assigned a field of the event data.
 */
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import type { ParameterBinding } from './operation.ts';

type ParameterLocation = ParameterBinding['in'];

/**
 * Allowed styles by the location of the parameter; the first one is the default (OpenAPI 3.1,
 * 4.8.12.2).
 */
const STYLES: Readonly<Record<ParameterLocation, readonly ParameterBinding['style'][]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

/** Precedence when names clash: the parameter in the earliest of these locations gets the field. */
const ORDER: readonly ParameterLocation[] = ['path', 'query', 'header', 'cookie'];

/**
 * Header parameters that OpenAPI requires to be ignored, because other parts of the document
 * describe them.
 */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization']);

/** One parameter: as it appears in the document, and with its `$ref` resolved. */
export interface Parameter {
  /** The parameter as the document contains it, possibly a reference. */
  readonly declared: JsonObject;
  /** The parameter with its `$ref` resolved. */
  readonly resolved: JsonObject;
  readonly name: string;
  readonly in: ParameterLocation;
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
    for (const declared of list) {
      const parameter = readParameter(declared, follow(declared));
      if (parameter === undefined) continue;
      const name = parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name;
      const key = `${parameter.in} ${name}`;
      if (seen.has(key))
        throw new ContractError(`the ${parameter.in} parameter ${parameter.name} is defined twice`);
      seen.add(key);
      merged.set(key, parameter);
    }
  }
  return [...merged.values()];
}

function readParameter(declared: Json, resolved: Json | undefined): Parameter | undefined {
  if (!isObject(declared) || !isObject(resolved)) throw new ContractError('a parameter must be an object');
  const name = member(resolved, 'name');
  const location = member(resolved, 'in');
  if (typeof name !== 'string' || name === '') throw new ContractError('a parameter must have a name');
  if (!isParameterLocation(location)) {
    throw new ContractError(
      `the parameter ${name} must be in ${ORDER.join(', ')}, not in ${JSON.stringify(location)}`,
    );
  }
  if (location === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return undefined;
  return { declared, resolved, name, in: location };
}

function isParameterLocation(value: Json | undefined): value is ParameterLocation {
  return ORDER.includes(value as ParameterLocation);
}

/**
 * Assigns a field to each parameter: `x-event-field`, or else its name. If two parameters have the
 * same name, the one whose location comes later in path, query, header, cookie gets its location as
 * a prefix, such as `query_id`.
 *
 * @throws {ContractError} when two parameters still have the same field.
 */
export function assignFields(parameters: readonly Parameter[]): Map<Parameter, string> {
  const fields = new Map<Parameter, string>();
  const taken = new Set<string>();
  const take = (parameter: Parameter, field: string): void => {
    if (taken.has(field)) throw new ContractError(`two parameters use the field ${field} of the event data`);
    taken.add(field);
    fields.set(parameter, field);
  };
  for (const parameter of parameters) {
    const declared = member(parameter.resolved, 'x-event-field');
    if (declared === undefined) continue;
    if (typeof declared !== 'string' || declared === '' || declared === '__proto__') {
      throw new ContractError(`x-event-field of the parameter ${parameter.name} must be the name of a field`);
    }
    take(parameter, declared);
  }
  for (const location of ORDER) {
    for (const parameter of parameters) {
      if (parameter.in !== location || fields.has(parameter)) continue;
      take(parameter, taken.has(parameter.name) ? `${location}_${parameter.name}` : parameter.name);
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
  const { resolved, name } = parameter;
  const problem = (reason: string): ContractError => new ContractError(`the parameter ${name} ${reason}`);
  const content = member(resolved, 'content');
  const style = member(resolved, 'style') ?? STYLES[parameter.in][0];
  const known = STYLES[parameter.in].find((candidate) => candidate === style);
  if (known === undefined)
    throw problem(`has the style ${JSON.stringify(style)}; allowed: ${STYLES[parameter.in].join(', ')}`);
  const common = {
    name,
    in: parameter.in,
    field: textOf(resolved, 'x-event-field') ?? name,
    required: parameter.in === 'path' || flag(resolved, 'required', false, problem),
    style: known,
    explode: flag(resolved, 'explode', known === 'form', problem),
    allowReserved: flag(resolved, 'allowReserved', false, problem),
    allowEmptyValue: flag(resolved, 'allowEmptyValue', false, problem),
  };
  if (content === undefined) {
    const schema = member(resolved, 'schema') ?? true;
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
    throw problem('must have exactly one media type in its content');
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
  resolved: JsonObject,
  name: string,
  otherwise: boolean,
  problem: (reason: string) => ContractError,
): boolean {
  const value = member(resolved, name) ?? otherwise;
  if (typeof value !== 'boolean') throw problem(`must set ${name} to true or false`);
  return value;
}
