/**
 * Checks of the path templates of contracts. Other frameworks write parameters in other ways, such
 * as `:id` or `<id>`. OpenAPI takes these as literal text, and no request would match.
 */
import { closestTo } from '../core/messages/suggestion.ts';
import { ContractError } from './errors.ts';
import { isObject, type Json } from './json.ts';

/**
 * Methods of operations. The gateway answers HEAD and OPTIONS itself where no operation declares
 * them.
 */
export const HTTP_METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'] as const;

/** An HTTP method in lower case: one of {@link HTTP_METHODS}, or of `OTHER_METHODS`. */
export type HttpMethod = string;

/** Names of template expressions: `{name}`. */
const EXPRESSION = /\{([^{}]*)\}/g;

/** Segments that other frameworks use for parameters, each with its name in the first group. */
const FOREIGN: readonly RegExp[] = [
  /^:([\w-]+)(?:\(.*\))?[?*+]?$/, // Express, Fastify
  /^<(?:[^<>:]*:)?([\w-]+)>$/, // Flask, Django
  /^\[{1,2}(?:\.{3})?([\w-]+)\]{1,2}$/, // Next.js
  /^\$\{([\w-]+)\}$/, // template literals of JavaScript
  /^\{\{ *([\w-]+) *\}\}$/, // Mustache
  /^\{([\w-]+)(?::.*|[?*+])\}$/, // JAX-RS, ASP.NET, RFC 6570
  /^\{(?:\.{3}|[+*]{1,2})([\w-]+)\}$/,
  /^\{([\w-]+)$/,
  /^([\w-]+)\}$/,
];

/** A path segment of one or two dots, percent-encoded or not (RFC 3986, sections 3.3 and 5.2.4). */
const DOT_SEGMENT = /(^|[/\\])\.{1,2}($|[/\\])/;

/** Segments that stand for any text. */
const WILDCARD = /^\*{1,2}[\w-]*$/;

/**
 * Returns the names of the parameters of a path template, in order and with repetitions.
 */
export function namesIn(path: string): string[] {
  return [...path.matchAll(EXPRESSION)].map((match) => match[1] ?? '');
}

/**
 * Checks the path template of a contract.
 *
 * @throws {ContractError} when no request can match the template, or when it looks like a mistake.
 */
export function checkTemplate(path: string): void {
  const problem = shapeProblem(path) ?? segmentProblem(path) ?? queryProblem(path) ?? nameProblem(path);
  if (problem !== undefined) throw new ContractError(problem);
}

/** The problem of a path as a whole: it must be a path alone (RFC 3986, 3.3). */
function shapeProblem(path: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path)) {
    const rest = path.replace(/^[^:]+:\/\/[^/]*/, '');
    return `a path must not have a scheme and a host (did you mean ${rest === '' ? '/' : rest}?)`;
  }
  if (!path.startsWith('/')) return `a path must start with a slash (did you mean /${path.trim()}?)`;
  if (/[\s\u0000-\u001f\u007f]/.test(path)) return 'a path must not contain white space';
  if (DOT_SEGMENT.test(decoded(path))) return 'a path must not have the segments . or ..';
  return path.includes('#') ? 'a path must not contain #: no request has a fragment' : undefined;
}

function queryProblem(path: string): string | undefined {
  const query = path.replace(EXPRESSION, (expression) => '-'.repeat(expression.length)).indexOf('?');
  if (query < 0) return undefined;
  return `a path must not contain a query (did you mean ${path.slice(0, query)}?)`;
}

/** The problem of a segment that is a parameter in another framework, but text in OpenAPI. */
function segmentProblem(path: string): string | undefined {
  for (const segment of path.slice(1).split('/')) {
    if (WILDCARD.test(segment)) {
      return `a path has no wildcards, got ${segment}; name a parameter, such as {name}, which matches one segment`;
    }
    if (/^\{[^{}:?*+<>[\].]+\}$/.test(segment)) continue;
    for (const pattern of FOREIGN) {
      const name = pattern.exec(segment)?.[1];
      if (name !== undefined) return `${segment} is not a parameter (did you mean {${name}}?)`;
    }
    if (/[<>]/.test(segment)) return `a path must not contain < or >, got ${segment}`;
    if (/[{}]/.test(segment.replaceAll(EXPRESSION, ''))) {
      return `the braces of the path are not balanced in ${segment}`;
    }
  }
  return undefined;
}

/** The problem of the names of the parameters. */
function nameProblem(path: string): string | undefined {
  const names = namesIn(path);
  if (names.includes('')) return 'a path parameter must have a name';
  if (/\}\{/.test(path)) return 'two path parameters must be separated by text';
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined
    ? undefined
    : `the path has {${twice}} twice; give each parameter a name of its own`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replaceAll(/%2e/gi, '.').replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\');
  }
}

/**
 * Checks the names of the methods in a path item: OpenAPI ignores unknown members, so that the
 * route would be missing.
 *
 * @throws {ContractError} when a member is a misspelled method.
 */
export function checkMethods(item: Json): void {
  if (!isObject(item)) return;
  for (const name of Object.keys(item)) {
    if (name.startsWith('x-') || MEMBERS.has(name) || !isObject(item[name])) continue;
    const method = closestTo(name, HTTP_METHODS);
    if (method !== undefined)
      throw new ContractError(`${JSON.stringify(name)} is not a method (did you mean ${method}?)`);
  }
}

/** Members of a path item. */
const MEMBERS: ReadonlySet<string> = new Set([
  ...HTTP_METHODS,
  'query', // OpenAPI 3.2
  'additionalOperations',
  '$ref',
  'summary',
  'description',
  'servers',
  'parameters',
]);
