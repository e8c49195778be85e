/**
 * The `$ref`s of one source. All their targets become components with names that OpenAPI allows, so
 * every `$ref` of a normalised document has the form `#/components/<section>/<name>`.
 */
import { ContractError } from '../../contract/errors.ts';
import {
  at,
  isObject,
  type Json,
  type JsonObject,
  member,
  pointerOf,
  tokensOf,
} from '../../contract/json.ts';
import { type Kind, SECTIONS } from '../../contract/shapes.ts';
import type { Steps } from '../../core/time/steps.ts';
import { refTo } from '../model/component-reference.ts';
import { DynamicScopes, keyOf, type Scope } from './dynamic-scope.ts';
import { Resources } from './resources.ts';

/** A component that is not copied yet. */
export interface PendingReference {
  readonly kind: Kind;
  readonly section: string;
  readonly name: string;
  readonly value: Json;
  /** JSON pointer in the source. */
  readonly pointer: string;
  /** Targets of dynamic references in it; undefined if they are the same in every scope. */
  readonly scope: Scope | undefined;
}

/**
 * Maximum number of `$ref`s resolved by a search in the enclosing schemas; each search walks up the
 * document.
 */
const MAX_SEARCHES = 20_000;

/** Maximum number of references on the way of one pointer. */
const MAX_HOPS = 20;

/** Member of a loaded document that contains its other files, by name (see loader.ts). */
export const FILES = 'x-files';

/** Resolves the references of one document and names their targets. */
export class References {
  private readonly raw: JsonObject;
  private readonly maxComponents: number;
  /** Component names by `section pointer scope`. */
  private readonly names = new Map<string, string>();
  private readonly taken = new Set<string>();
  /** How often each name was requested; the next free name is found without a search. */
  private readonly wanted = new Map<string, number>();
  private searches = 0;
  private hops = 0;
  private readonly resources: Resources;
  private readonly scopes: DynamicScopes | undefined;
  /** Components in the order in which they were found. The caller copies them. */
  readonly pending: PendingReference[] = [];

  private constructor(raw: JsonObject, maxComponents: number, resources: Resources) {
    this.raw = raw;
    this.maxComponents = maxComponents;
    this.resources = resources;
    if (this.resources.dynamic) {
      this.scopes = new DynamicScopes(raw, this.resources, (ref, pointer) => this.target(ref, pointer));
    }
  }

  /**
   * Reads the references of a document, in steps.
   *
   * @param most maximum number of components.
   */
  static *reading(raw: JsonObject, maxComponents: number): Steps<References> {
    const references = new References(raw, maxComponents, yield* Resources.reading(raw));
    const components = member(raw, 'components');
    if (!isObject(components)) return references;
    for (const [kind, section] of sections()) {
      const all = member(components, section);
      for (const name of Object.keys(isObject(all) ? all : {})) {
        references.nameOf(kind, section, pointerOf('components', section, name));
        yield;
      }
    }
    return references;
  }

  /** Starts the copy of a component; dynamic references are then resolved in its scope. */
  enter({ pointer, scope }: Pick<PendingReference, 'pointer' | 'scope'>): void {
    this.scopes?.enter(pointer, scope);
  }

  /**
   * Returns the `$ref` that replaces a reference of the source.
   *
   * @param dynamic whether the reference was a `$dynamicRef` or, if it is empty, a `$recursiveRef`.
   * @throws {ContractError} when the target is outside the document or does not exist.
   */
  resolve(kind: Kind, ref: string, pointer: string, dynamic = false): string {
    const section = SECTIONS[kind];
    const target = dynamic ? this.scopes?.target(ref, pointer) : this.target(ref, pointer);
    if (section === undefined || target === undefined) {
      throw new ContractError(
        `${dynamic ? '$dynamicRef' : '$ref'} ${JSON.stringify(shorten(ref))} has no target`,
        { pointer },
      );
    }
    const scope = kind === 'schema' ? this.scopes?.scopeFor(target, pointer) : undefined;
    return refTo(section, this.nameOf(kind, section, target, scope));
  }

  /**
   * Returns the reference for a value in the mapping of a discriminator: the value itself if it is
   * a reference, or a reference to the component of that name.
   */
  mapped(value: string): string | undefined {
    if (value.startsWith('#')) return value;
    const pointer = pointerOf('components', 'schemas', value);
    return at(this.raw, pointer) === undefined ? undefined : `#${encodeURI(pointer)}`;
  }

  private target(ref: string, pointer: string): string | undefined {
    if (!ref.startsWith('#')) return this.targetOfUri(ref, pointer);
    const fragment = decode(ref.slice(1));
    if (fragment === undefined || tokensOf(fragment) === undefined) {
      return this.resources.anchor(fragment ?? ref.slice(1), pointer);
    }
    // In a schema with an `$id`, pointers start at that schema (JSON Schema 2020-12, core,
    // 8.2.1).
    const boundary = this.resources.boundary(pointer);
    const inside =
      boundary === '' || boundary.startsWith(`/${FILES}/`) ? undefined : this.through(boundary + fragment);
    const found = inside ?? this.through(fragment);
    if (found !== undefined) return found;
    // The target may be in the `$defs` of an embedded schema: the nearest enclosing schema that
    // has it wins.
    this.searches += 1;
    if (this.searches > MAX_SEARCHES)
      throw new ContractError('too many $refs into local definitions', { pointer });
    for (let around = pointer; around !== ''; around = around.slice(0, around.lastIndexOf('/'))) {
      if (at(this.raw, around + fragment) !== undefined) return around + fragment;
    }
    return undefined;
  }

  /** Returns the pointer, or its target if there is a reference on the way. */
  private through(pointer: string): string | undefined {
    if (at(this.raw, pointer) !== undefined) return pointer;
    let location = '';
    let value: Json | undefined = this.raw;
    for (const token of tokensOf(pointer) ?? []) {
      const next: Json | undefined = value === undefined ? undefined : at(value, pointerOf(token));
      if (next === undefined) break;
      location += pointerOf(token);
      value = next;
    }
    const ref = isObject(value) ? member(value, '$ref') : undefined;
    if (typeof ref !== 'string' || this.hops >= MAX_HOPS) return undefined;
    this.hops += 1;
    try {
      const target = this.target(ref, location);
      return target === undefined ? undefined : this.through(target + pointer.slice(location.length));
    } finally {
      this.hops -= 1;
    }
  }

  private targetOfUri(ref: string, pointer: string): string | undefined {
    const [uri = '', fragment = ''] = ref.split('#');
    const schema = this.resources.withId(ref) ?? this.resources.withId(uri);
    if (schema === undefined) {
      throw new ContractError(`$ref ${JSON.stringify(shorten(ref))} points outside the document`, {
        pointer,
      });
    }
    if (fragment === '' || this.resources.withId(ref) !== undefined) return schema;
    const decoded = decode(fragment) ?? fragment;
    if (tokensOf(decoded) === undefined) return this.resources.anchor(decoded, schema);
    return this.through(schema + decoded);
  }

  private nameOf(kind: Kind, section: string, target: string, scope?: Scope): string {
    const key = `${section} ${target} ${keyOf(scope)}`;
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const name = this.freeName(section, target);
    this.names.set(key, name);
    if (this.names.size > this.maxComponents)
      throw new ContractError(`more than ${this.maxComponents} components`);
    const value = at(this.raw, target);
    if (value !== undefined) this.pending.push({ kind, section, name, value, pointer: target, scope });
    return name;
  }

  private freeName(section: string, target: string): string {
    const tokens = tokensOf(target) ?? [];
    const direct = tokens.length === 3 && tokens[0] === 'components' && tokens[1] === section;
    const wanted = componentName(
      tokens[0] === FILES ? nameInFile(tokens) : (direct ? tokens.slice(2) : tokens).join('_'),
    );
    let name = wanted;
    while (this.taken.has(`${section}/${name}`)) {
      const count = (this.wanted.get(`${section}/${wanted}`) ?? 1) + 1;
      this.wanted.set(`${section}/${wanted}`, count);
      name = `${wanted}_${count}`;
    }
    this.taken.add(`${section}/${name}`);
    return name;
  }
}

/**
 * Returns the name of a component from another file: the last token of its pointer, or else the
 * file name without its extension.
 */
function nameInFile(tokens: readonly string[]): string {
  const last =
    tokens.length > 2
      ? tokens.at(-1)
      : tokens[1]
          ?.split('/')
          .at(-1)
          ?.replace(/\.(ya?ml|json)$/i, '');
  return last ?? FILES;
}

/** Turns a text into a component name that OpenAPI allows: letters, digits, `.`, `_` and `-`. */
export function componentName(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, '_').slice(-200) || '_';
}

function* sections(): Iterable<[Kind, string]> {
  for (const [kind, section] of Object.entries(SECTIONS)) yield [kind as Kind, section];
}

function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
