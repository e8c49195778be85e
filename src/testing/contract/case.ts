/** Requests that a contract test sends. */
import type { Operation } from '../../openapi/index.ts';
import type { Body } from './bodies.ts';
import type { Target } from './serialise.ts';

/**
 * What a request is about. `valid`: ordinary values. `boundary`: values at the bounds of the
 * document. `invalid`: one rule of the document is broken.
 */
export type CaseKind = 'valid' | 'boundary' | 'invalid';

/** One request. */
export interface Case {
  readonly operation: Operation;
  readonly kind: CaseKind;
  /** What distinguishes it, such as `the query parameter limit: 101, beyond the bound`. */
  readonly what: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Maximum length of a request target and of a header value that servers usually accept. */
const LONGEST_TARGET = 6000;
const LONGEST_HEADER = 2000;

/** Creates a case; undefined if a server need not accept requests of this size. */
export function caseOf(
  operation: Operation,
  kind: CaseKind,
  what: string,
  parts: Target,
  body: Body | undefined,
): Case | undefined {
  const target = parts.path + (parts.query.length === 0 ? '' : `?${parts.query.join('&')}`);
  const headers: Record<string, string> = { ...parts.headers };
  if (parts.cookies.length > 0) headers['cookie'] = parts.cookies.join('; ');
  if (body !== undefined) headers['content-type'] = body.contentType;
  const isLong = Object.values(headers).some((value) => value.length > LONGEST_HEADER);
  if (isLong || target.length > LONGEST_TARGET) return undefined;
  const method = operation.method.toUpperCase();
  return { operation, kind, what, method, target, headers, body: body?.text };
}

/** Returns a command line that sends the request of a case. */
export function curlOf(
  { method, target, headers, body }: Case,
  baseUrl: string,
  extraHeaders: Readonly<Record<string, string>>,
): string {
  const words = ['curl', '-i', '-X', method, quoted(baseUrl + target)];
  for (const [name, value] of Object.entries({ ...extraHeaders, ...headers })) {
    words.push('-H', quoted(`${name}: ${value}`));
  }
  if (body !== undefined) words.push('--data-binary', quoted(body));
  return words.join(' ');
}

/** Quotes an argument for a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
