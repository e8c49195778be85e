/**
 * Rules between the keys of an object: and, or, xor, oxor, nand, with, without.
 */
import { type JsonObject } from '../json.ts';
import type { DescribedDependency } from './described.ts';

/** Properties of the keys. */
export interface Peers {
  /**
   * Whether Joi sees the key exactly when the caller sent it: it has no default and is not renamed,
   * stripped or emptied.
   */
  readonly presenceKnown: (name: string) => boolean;
  readonly defined: (name: string) => boolean;
}

/** The rule as JSON Schema, if it can express it, and as a sentence. */
export interface Dependency {
  readonly schema: JsonObject | undefined;
  readonly note: string;
}

export function convertDependency(dependency: DescribedDependency, peers: Peers): Dependency {
  const { rel, key, peers: names, options = {} } = dependency;
  const all = key === undefined ? names : [key, ...names];
  const separator = options.separator ?? '.';
  const nested = separator !== false && all.some((name) => name.includes(separator));
  const plain = !nested && options.isPresent === undefined && all.every(peers.presenceKnown);
  return { schema: plain ? schemaOf(rel, key, names) : undefined, note: sentence(rel, key, names) };
}

function schemaOf(
  rel: DescribedDependency['rel'],
  key: string | undefined,
  names: readonly string[],
): JsonObject {
  const has = (...some: readonly string[]): JsonObject => ({ required: [...some] });
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => has(one, other)));
  switch (rel) {
    case 'and':
      return {
        dependentRequired: Object.fromEntries(
          names.map((name) => [name, names.filter((other) => other !== name)]),
        ),
      };
    case 'or':
      return { anyOf: names.map((name) => has(name)) };
    case 'xor':
      return { oneOf: names.map((name) => has(name)) };
    case 'oxor':
      return pairs.length === 0 ? {} : { not: pairs.length === 1 ? (pairs[0] ?? {}) : { anyOf: pairs } };
    case 'nand':
      return { not: has(...names) };
    case 'with':
      return { dependentRequired: { [key ?? '']: [...names] } };
    case 'without':
      return {
        dependentSchemas: { [key ?? '']: { not: { anyOf: names.map((name) => has(name)) } } },
      };
  }
}

function sentence(
  rel: DescribedDependency['rel'],
  key: string | undefined,
  names: readonly string[],
): string {
  const list = names.join(', ');
  switch (rel) {
    case 'and':
      return `All or none of ${list} must be given.`;
    case 'or':
      return `At least one of ${list} must be given.`;
    case 'xor':
      return `Exactly one of ${list} must be given.`;
    case 'oxor':
      return `At most one of ${list} may be given.`;
    case 'nand':
      return `${list} must not all be given.`;
    case 'with':
      return `With ${key ?? ''}, ${list} must be given.`;
    case 'without':
      return `With ${key ?? ''}, ${list} must not be given.`;
  }
}
