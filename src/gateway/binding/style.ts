/**
 * The styles in which OpenAPI writes lists and objects into a text (OpenAPI 3.1, 4.8.12.1): taking them apart.
 *
 * | style          | explode: no         | explode: yes          |
 * |----------------|---------------------|-----------------------|
 * | simple         | `a,1,b,2`           | `a=1,b=2`             |
 * | label          | `.a,1,b,2`          | `.a=1.b=2`            |
 * | matrix         | `;p=a,1,b,2`        | `;a=1;b=2`            |
 * | form           | `p=a,1,b,2`         | `a=1&b=2`             |
 * | spaceDelimited | `p=a%201%20b%202`   | as form               |
 * | pipeDelimited  | `p=a%7C1%7Cb%7C2`   | as form               |
 *
 * A text is split before it is decoded, so that an encoded separator is data.
 */
import type { ParameterBinding } from '../../openapi/model/operation.ts';
import type { Shape } from '../validation/shape.ts';
import { Members, type Structure } from './coerce.ts';
import { decode } from './pairs.ts';

/** A parameter's text does not have the form of its style. */
export class StyleError extends Error {}

/** Decodes a part of a text. */
type Decode = (raw: string) => string;

const decodePath: Decode = (raw) => decode(raw, false);
const decodeQuery: Decode = (raw) => decode(raw, true);
const decodeHeader: Decode = (raw) => raw.trim();
const decodeCookie: Decode = (raw) => {
  try {
    return decode(raw, false);
  } catch {
    return raw;
  }
};

/** How parts are decoded, by where the parameter stands. */
export const DECODERS = {
  path: decodePath,
  query: decodeQuery,
  header: decodeHeader,
  cookie: decodeCookie,
} as const satisfies Record<ParameterBinding['in'], Decode>;

const QUERY_SEPARATORS: Readonly<Record<string, RegExp | string>> = {
  spaceDelimited: /%20|\+| /,
  pipeDelimited: /\||%7C/i,
};

/** What the parts of a list or object are separated by, in one text. */
function separatorOf(binding: ParameterBinding): RegExp | string {
  if (!binding.explode) return QUERY_SEPARATORS[binding.style] ?? ',';
  if (binding.style === 'label') return '.';
  if (binding.style === 'matrix') return ';';
  return ',';
}

/**
 * Takes the whole text of one parameter apart.
 * @returns what the text may mean, the likeliest first: more than one where the schema has values of several kinds.
 * @throws StyleError, URIError when the text is not of the style.
 */
export function parseStyle(raw: string, binding: ParameterBinding, shape: Shape): readonly Structure[] {
  if (binding.style === 'matrix') return parseMatrix(raw, binding, shape);
  let text = raw;
  if (binding.style === 'label') {
    if (!raw.startsWith('.')) throw new StyleError('must start with a dot');
    text = raw.slice(1);
  }
  const decodePart = DECODERS[binding.in];
  const dotted = binding.style === 'label' && !binding.explode && text.includes('.') && !text.includes(',');
  if (!dotted) return partsOf(text, binding, shape, decodePart);
  // Before 3.0.4 and 3.1.1 the Style Examples had dots in place of commas, and callers still write them.
  const withDots = partsOf(text.replaceAll('.', ','), binding, shape, decodePart);
  return shape.acceptsObject && !shape.acceptsArray
    ? withDots
    : [...partsOf(text, binding, shape, decodePart), ...withDots];
}

function parseMatrix(raw: string, binding: ParameterBinding, shape: Shape): readonly Structure[] {
  if (!raw.startsWith(';')) throw new StyleError('must start with a semicolon');
  const parts = binding.explode ? raw.slice(1).split(';') : [raw.slice(1)];
  const values: string[] = [];
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (decodePath(equals === -1 ? part : part.slice(0, equals)) !== binding.name) break;
    values.push(equals === -1 ? '' : part.slice(equals + 1));
  }
  if (values.length === parts.length) {
    const [value = ''] = values;
    return binding.explode ? valuesOf(values, shape, decodePath) : partsOf(value, binding, shape, decodePath);
  }
  if (!binding.explode || !shape.acceptsObject) throw new StyleError(`must start with ;${binding.name}=`);
  return [explodedMembers(parts, decodePath)];
}

/** What values mean that each have the name of the parameter: `p=1&p=2`, `;p=1;p=2`. */
export function valuesOf(values: readonly string[], shape: Shape, decodePart: Decode): readonly Structure[] {
  const [first = ''] = values;
  const found: Structure[] = [];
  const isText = shape.acceptsScalar || (shape.acceptsNull && first === '') || !shape.acceptsArray;
  if (values.length === 1 && isText) found.push(decodePart(first));
  if (shape.acceptsArray) found.push(values.map(decodePart));
  if (found.length === 0) throw new StyleError('is given more than once');
  return found;
}

/** What a text without the style's prefix may mean. */
export function partsOf(
  text: string,
  binding: ParameterBinding,
  shape: Shape,
  decodePart: Decode,
): readonly Structure[] {
  if (!shape.acceptsArray && !shape.acceptsObject) return [decodePart(text)];
  const parts = text === '' ? [] : text.split(separatorOf(binding));
  const found: Structure[] = [];
  const first = (shape.acceptsScalar && parts.length === 1) || (shape.acceptsNull && text === '');
  if (first) found.push(decodePart(text));
  if (shape.acceptsArray) found.push(parts.map(decodePart));
  if (shape.acceptsObject) addMembers(parts, binding, decodePart, found);
  if (shape.acceptsScalar && !first) found.push(decodePart(text));
  return found;
}

/** @throws StyleError when the parts are not those of an object, and cannot be anything else. */
function addMembers(
  parts: readonly string[],
  { explode }: ParameterBinding,
  decodePart: Decode,
  found: Structure[],
): void {
  try {
    found.push(explode ? explodedMembers(parts, decodePart) : flatMembers(parts, decodePart));
  } catch (error) {
    if (!(error instanceof StyleError) || found.length === 0) throw error;
  }
}

/** `a=1`, `b=2`. */
function explodedMembers(parts: readonly string[], decodePart: Decode): Members {
  const members = new Members();
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals === -1) throw new StyleError('must be written as name=value');
    members.entries.push([decodePart(part.slice(0, equals)), decodePart(part.slice(equals + 1))]);
  }
  return members;
}

/** `a`, `1`, `b`, `2`. */
function flatMembers(parts: readonly string[], decodePart: Decode): Members {
  const members = new Members();
  if (parts.length % 2 !== 0) throw new StyleError('must be written as names and values in turn');
  for (let index = 0; index < parts.length; index += 2) {
    members.entries.push([decodePart(parts[index] ?? ''), decodePart(parts[index + 1] ?? '')]);
  }
  return members;
}
