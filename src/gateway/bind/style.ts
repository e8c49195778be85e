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
import type { ParameterBinding } from '../../apidoc/operation.ts';
import { Members, type Structure } from './coerce.ts';
import { decode } from './pairs.ts';
import type { Shape } from './shape.ts';

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
 * @throws StyleError, URIError when the text is not of the style.
 */
export function takeApart(raw: string, binding: ParameterBinding, shape: Shape): Structure {
  const decodePart = DECODERS[binding.in];
  if (binding.style === 'matrix') return takeMatrix(raw, binding, shape);
  let text = raw;
  if (binding.style === 'label') {
    if (!raw.startsWith('.')) throw new StyleError('must start with a dot');
    text = raw.slice(1);
  }
  return partsOf(text, binding, shape, decodePart);
}

function takeMatrix(raw: string, binding: ParameterBinding, shape: Shape): Structure {
  if (!raw.startsWith(';')) throw new StyleError('must start with a semicolon');
  const text = raw.slice(1);
  if (binding.explode && shape.record) return partsOf(text, binding, shape, decodePath);
  const values = (binding.explode ? text.split(';') : [text]).map((part) => {
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    if (decodePath(name) !== binding.name) throw new StyleError(`must start with ;${binding.name}=`);
    return equals === -1 ? '' : part.slice(equals + 1);
  });
  if (binding.explode && shape.list) return values.map(decodePath);
  return partsOf(values.join(','), binding, shape, decodePath);
}

/** A text without the style's prefix. */
export function partsOf(
  text: string,
  binding: ParameterBinding,
  shape: Shape,
  decodePart: Decode,
): Structure {
  if (!shape.list && !shape.record) return decodePart(text);
  const parts = text === '' ? [] : text.split(separatorOf(binding));
  if (shape.single && parts.length === 1) return decodePart(text);
  if (shape.list) return parts.map(decodePart);
  return binding.explode ? explodedMembers(parts, decodePart) : flatMembers(parts, decodePart);
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
