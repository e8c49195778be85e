/**
 * Parses the styles in which OpenAPI serialises arrays and objects (OpenAPI 3.1, 4.8.12.1).
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
 * Texts are split before they are decoded, so that an encoded separator is data.
 */
import type { ParameterBinding } from '../../openapi/model/operation.ts';
import type { Shape } from '../validation/shape.ts';
import { Members, type Structure } from './coerce.ts';
import { decode } from './pairs.ts';

/** Thrown when the text of a parameter does not match its style. The message is for the caller. */
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

/** How parts are decoded, by the location of the parameter. */
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

/** The separator between the parts of an array or object in one text. */
function separatorOf(binding: ParameterBinding): RegExp | string {
  if (!binding.explode) return QUERY_SEPARATORS[binding.style] ?? ',';
  if (binding.style === 'label') return '.';
  if (binding.style === 'matrix') return ';';
  return ',';
}

/**
 * Parses the whole text of a parameter.
 * @returns the possible structures, the most likely first. There are several if the schema permits
 *   several types.
 * @throws {StyleError} when the text does not match the style.
 * @throws {URIError} when the percent-encoding is not valid.
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
  // The Style Examples before OpenAPI 3.0.4 and 3.1.1 had dots in place of commas; callers use
  // both.
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

/** The possible structures of repeated values: `p=1&p=2`, `;p=1;p=2`. */
export function valuesOf(values: readonly string[], shape: Shape, decodePart: Decode): readonly Structure[] {
  const [first = ''] = values;
  const found: Structure[] = [];
  const isText = shape.acceptsScalar || (shape.acceptsNull && first === '') || !shape.acceptsArray;
  if (values.length === 1 && isText) found.push(decodePart(first));
  if (shape.acceptsArray) found.push(values.map(decodePart));
  if (found.length === 0) throw new StyleError('is given more than once');
  return found;
}

/** The possible structures of a text without the prefix of its style. */
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

/**
 * @throws {StyleError} when the parts are not those of an object, and no other structure is
 * possible.
 */
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
  if (parts.length % 2 !== 0) throw new StyleError('must be written as alternating names and values');
  for (let index = 0; index < parts.length; index += 2) {
    members.entries.push([decodePart(parts[index] ?? ''), decodePart(parts[index + 1] ?? '')]);
  }
  return members;
}
