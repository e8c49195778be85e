/**
 * Path templates of OpenAPI: `/tasks/{id}`.
 */
import { ContractError } from '../../contract/errors.ts';
import { normalText } from './normal-text.ts';

/** A path template, taken apart. */
export interface PathTemplate {
  readonly path: string;
  /** Names between braces, in order. */
  readonly names: readonly string[];
  /** The template without its names, in normal form: two templates of one shape match the same paths. */
  readonly shape: string;
  /** Names that were given to the second and later places of one name: `id_2` → `id`. */
  readonly repeated: ReadonlyMap<string, string>;
}

const EXPRESSION = /\{([^{}]*)\}/g;

/**
 * Takes a path template apart. A name that comes a second time gets a number, since each place has its own value.
 * @throws ContractError when it does not start with a slash, has a query, braces that do not match,
 *   a name that is empty, or two expressions with nothing between them.
 */
export function parsePath(path: string): PathTemplate {
  if (!path.startsWith('/')) throw new ContractError('a path must start with a slash');
  if (/[?\s\u0000-\u001f\u007f]/.test(path)) {
    throw new ContractError('a path must not hold a query or white space');
  }
  const names = [...path.matchAll(EXPRESSION)].map((match) => match[1] ?? '');
  const shape = path.replace(EXPRESSION, '{}');
  if (/[{}]/.test(shape.replaceAll('{}', ''))) throw new ContractError('the braces of the path do not match');
  if (names.includes('')) throw new ContractError('a path parameter must have a name');
  if (shape.includes('{}{}')) throw new ContractError('two path parameters must have something between them');
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
 * A prefix as it is put before paths: with a slash before, none behind.
 * @throws ContractError when it is no plain path.
 */
export function parsePrefix(prefix: string): string {
  const trimmed = prefix.replace(/\/+$/, '');
  if (trimmed === '') return '';
  const template = parsePath(trimmed);
  if (template.names.length > 0) throw new ContractError('a prefix must not have parameters');
  return trimmed;
}
