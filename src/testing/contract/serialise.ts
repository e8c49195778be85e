/** Writes parameters as their styles require (OpenAPI 3.1.1, 4.8.12; RFC 6570). */
import type { ParameterBinding } from '../../openapi/index.ts';

/** A value without parts. */
export type Scalar = null | boolean | number | string;

/** Any JSON value. */
export type Value = Scalar | readonly Value[] | { readonly [name: string]: Value };

/** The parts of a request that parameters fill. */
export interface Target {
  /** Path template, in which path parameters are replaced. */
  path: string;
  readonly query: string[];
  readonly headers: Record<string, string>;
  readonly cookies: string[];
}

type Style = Pick<ParameterBinding, 'name' | 'style' | 'explode'>;

/** Visible ASCII characters. A space may only stand between them. */
const HEADER_VALUE = /^[!-~]([ -~]*[!-~])?$/;
const COOKIE_VALUE = /^[\w.~-]+$/;

/**
 * Writes the value of a parameter into a request.
 *
 * @returns false if the value cannot be written, such as an empty path segment.
 */
export function writeParameter(target: Target, parameter: ParameterBinding, value: Value): boolean {
  switch (parameter.in) {
    case 'path': {
      const text = contentOr(parameter, value, (list) => pathText(list, parameter));
      if (text === undefined || text === '' || text === '.' || text === '..') return false;
      target.path = target.path.replace(`{${parameter.name}}`, () => text);
      return true;
    }
    case 'query': {
      const pairs = queryPairs(parameter, value);
      if (pairs === undefined) return false;
      target.query.push(...pairs);
      return true;
    }
    case 'header': {
      const text = contentOr(parameter, value, (list) => simple(list, parameter, String), String);
      if (text === undefined || !HEADER_VALUE.test(text)) return false;
      target.headers[parameter.name.toLowerCase()] = text;
      return true;
    }
    case 'cookie': {
      const text = contentOr(parameter, value, (list) => joined(list, ',', String), encodeURIComponent);
      if (text === undefined || !(COOKIE_VALUE.test(text) || parameter.contentType !== undefined))
        return false;
      target.cookies.push(`${parameter.name}=${text}`);
      return true;
    }
  }
}

/** Entries of a value: those of a list have no names. Undefined if it contains other lists or objects. */
function entriesOf(value: Value): [name: string | undefined, text: string][] | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'object') return [[undefined, String(value)]];
  const entries: [string | undefined, Value][] = Array.isArray(value)
    ? (value as readonly Value[]).map((item) => [undefined, item])
    : Object.entries(value as { readonly [name: string]: Value });
  // An empty list or item looks like a missing one.
  if (entries.length === 0 || entries.some(([, item]) => item === '')) return undefined;
  const texts: [string | undefined, string][] = [];
  for (const [name, item] of entries) {
    if (typeof item === 'object') return undefined;
    texts.push([name, String(item)]);
  }
  return texts;
}

type Entries = NonNullable<ReturnType<typeof entriesOf>>;

function contentOr(
  { contentType }: ParameterBinding,
  value: Value,
  write: (entries: Entries) => string,
  encode: (text: string) => string = encodeURIComponent,
): string | undefined {
  if (contentType !== undefined) return encode(JSON.stringify(value));
  const entries = entriesOf(value);
  return entries && write(entries);
}

function pathText(entries: Entries, { name, style, explode }: Style): string {
  const encode = encodeURIComponent;
  const text = (separator: string): string => named(entries, separator, encode);
  if (style === 'label') return `.${explode ? text('.') : joined(entries, ',', encode)}`;
  if (style !== 'matrix') return simple(entries, { explode }, encode);
  if (!explode) return `;${name}=${joined(entries, ',', encode)}`;
  return entries.map(([key, one]) => `;${encode(key ?? name)}=${encode(one)}`).join('');
}

function simple(
  entries: Entries,
  { explode }: Pick<Style, 'explode'>,
  encode: (text: string) => string,
): string {
  return explode ? named(entries, ',', encode) : joined(entries, ',', encode);
}

/** Exploded: `a,b` for a list, and `x=1,y=2` for an object. */
function named(entries: Entries, separator: string, encode: (text: string) => string): string {
  return entries
    .map(([key, one]) => (key === undefined ? encode(one) : `${encode(key)}=${encode(one)}`))
    .join(separator);
}

/** Not exploded: `a,b` for a list, and `x,1,y,2` for an object. */
function joined(entries: Entries, separator: string, encode: (text: string) => string): string {
  return entries
    .flatMap(([key, one]) => (key === undefined ? [one] : [key, one]))
    .map(encode)
    .join(separator);
}

/** Returns `name=value` pairs of a query or form; undefined if the value cannot be written. */
export function queryPairs(
  parameter: Style & { readonly contentType?: string | undefined },
  value: Value,
): string[] | undefined {
  const { name, style, explode, contentType } = parameter;
  const encode = encodeURIComponent;
  if (contentType !== undefined) return [`${encode(name)}=${encode(JSON.stringify(value))}`];
  const entries = entriesOf(value);
  if (entries === undefined) return undefined;
  const isObject = typeof value === 'object' && !Array.isArray(value);
  if (style === 'deepObject') {
    return isObject ? entries.map(([key, one]) => `${encode(`${name}[${key}]`)}=${encode(one)}`) : undefined;
  }
  if (explode) return entries.map(([key, one]) => `${encode(key ?? name)}=${encode(one)}`);
  const separator = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '%7C' : ',';
  return [`${encode(name)}=${joined(entries, separator, encode)}`];
}
