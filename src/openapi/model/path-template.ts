/** Path templates of OpenAPI, such as `/tasks/{id}`. */
import { ContractError } from '../../contract/errors.ts';
import { normalText } from './normal-text.ts';

/** A parsed path template. */
export interface PathTemplate {
  readonly path: string;
  /** Names of the parameters, in order. */
  readonly names: readonly string[];
  /**
   * The template without its names, in normal form. Two templates with the same shape match the
   * same paths.
   */
  readonly shape: string;
  /**
   * Original names of parameters that were renamed because the name occurs more than once: `id_2` →
   * `id`.
   */
  readonly repeated: ReadonlyMap<string, string>;
}

const EXPRESSION = /\{([^{}]*)\}/g;

/**
 * Parses a path template. If a name occurs again, it gets a number, because each occurrence has its
 * own value.
 *
 * @throws {ContractError} when the path does not start with a slash, contains a query or unbalanced
 *   braces, has a parameter without a name, or has two adjacent parameters.
 */
export function parsePath(path: string): PathTemplate {
  if (!path.startsWith('/')) throw new ContractError('a path must start with a slash');
  if (/[?\s\u0000-\u001f\u007f]/.test(path)) {
    throw new ContractError('a path must not contain a query or white space');
  }
  const names = [...path.matchAll(EXPRESSION)].map((match) => match[1] ?? '');
  const shape = path.replace(EXPRESSION, '{}');
  if (/[{}]/.test(shape.replaceAll('{}', '')))
    throw new ContractError('the braces of the path are not balanced');
  if (names.includes('')) throw new ContractError('a path parameter must have a name');
  if (shape.includes('{}{}')) throw new ContractError('two path parameters must be separated by text');
  const repeated = new Map<string, string>();
  const distinct = names.map((name, index) => {
    if (names.indexOf(name) === index) return name;
    let other = `${name}_2`;
    for (let count = 3; names.includes(other) || repeated.has(other); count += 1) other = `${name}_${count}`;
    repeated.set(other, name);
    return other;
  });
  let index = 0;
  const written = path.replace(EXPRESSION, () => `{${distinct[index++] ?? ''}}`);
  return { path: written, names: distinct, shape: normalText(shape), repeated };
}

/**
 * Normalises a prefix of paths: it starts with a slash and does not end with one.
 *
 * @throws {ContractError} when the prefix is not a plain path.
 */
export function parsePrefix(prefix: string): string {
  const trimmed = prefix.replace(/\/+$/, '');
  if (trimmed === '') return '';
  const template = parsePath(trimmed);
  if (template.names.length > 0) throw new ContractError('a prefix must not have parameters');
  return trimmed;
}
