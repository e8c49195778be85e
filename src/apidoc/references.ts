/**
 * The `$ref`s of one source. Whatever they point at ends up in `components`, under a name that OpenAPI allows,
 * so that every `$ref` of a normalised document reads `#/components/<section>/<name>`.
 */
import { ContractError } from '../contract/errors.ts';
import { at, isObject, type Json, type JsonObject, member, pointerOf, tokensOf } from '../contract/json.ts';
import { type Kind, SECTIONS } from '../contract/shapes.ts';

/** A component that has to be copied yet. */
export interface Pending {
  readonly kind: Kind;
  readonly section: string;
  readonly name: string;
  readonly value: Json;
  /** Where it stands in the source. */
  readonly pointer: string;
}

/** `$ref`s that are looked for in the schemas around them; each costs a walk up. */
const MAX_SEARCHES = 20_000;

/** Member of a document that holds what its other files hold, by their names (load.ts). */
export const FILES = 'x-files';

export class References {
  private readonly raw: JsonObject;
  private readonly most: number;
  /** `section pointer` → name. */
  private readonly names = new Map<string, string>();
  private readonly taken = new Set<string>();
  /** How often a name was wanted, so that the next free one is found at once. */
  private readonly wanted = new Map<string, number>();
  private searches = 0;
  /** `$id`s and `$anchor`s → pointer; filled on the first need. */
  private anchors: ReadonlyMap<string, string> | undefined;
  /** Components found, in the order they were found; the caller copies them. */
  readonly pending: Pending[] = [];

  /** @param most components that there may be. */
  constructor(raw: JsonObject, most: number) {
    this.raw = raw;
    this.most = most;
    const components = member(raw, 'components');
    if (!isObject(components)) return;
    for (const [kind, section] of sections()) {
      const all = member(components, section);
      if (!isObject(all)) continue;
      for (const name of Object.keys(all)) this.nameOf(kind, section, pointerOf('components', section, name));
    }
  }

  /**
   * The `$ref` to write in place of one that was read.
   * @throws ContractError when it points out of the document or at nothing.
   */
  resolve(kind: Kind, ref: string, pointer: string): string {
    const section = SECTIONS[kind];
    const target = section === undefined ? undefined : this.target(ref, pointer);
    if (section === undefined || target === undefined) {
      throw new ContractError(`$ref ${JSON.stringify(shorten(ref))} points at nothing`, { pointer });
    }
    return `#/components/${section}/${this.nameOf(kind, section, target)}`;
  }

  private target(ref: string, pointer: string): string | undefined {
    if (!ref.startsWith('#')) {
      const anchored = this.anchored(ref);
      if (anchored !== undefined) return anchored;
      throw new ContractError(`$ref ${JSON.stringify(shorten(ref))} points out of the document`, { pointer });
    }
    const fragment = decode(ref.slice(1));
    if (fragment === undefined || tokensOf(fragment) === undefined) return this.anchored(ref);
    if (at(this.raw, fragment) !== undefined) return fragment;
    // A schema that brought its own $defs: the nearest one around that has what is asked for.
    this.searches += 1;
    if (this.searches > MAX_SEARCHES)
      throw new ContractError('too many $refs into local definitions', { pointer });
    for (let around = pointer; around !== ''; around = around.slice(0, around.lastIndexOf('/'))) {
      if (at(this.raw, around + fragment) !== undefined) return around + fragment;
    }
    return undefined;
  }

  private anchored(ref: string): string | undefined {
    this.anchors ??= anchorsOf(this.raw);
    return this.anchors.get(ref);
  }

  private nameOf(kind: Kind, section: string, target: string): string {
    const key = `${section} ${target}`;
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const name = this.freeName(section, target);
    this.names.set(key, name);
    if (this.names.size > this.most) throw new ContractError(`more than ${this.most} components`);
    const value = at(this.raw, target);
    if (value !== undefined) this.pending.push({ kind, section, name, value, pointer: target });
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

/** Name of what another file holds: its last part there, or the file's own name without its ending. */
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

/** A name that OpenAPI allows for a component: letters, digits, `.`, `_` and `-`. */
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

function anchorsOf(raw: JsonObject): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (value: Json, pointer: string): void => {
    if (Array.isArray(value)) value.forEach((item, index) => visit(item, `${pointer}/${index}`));
    if (!isObject(value)) return;
    const id = member(value, '$id');
    const anchor = member(value, '$anchor') ?? member(value, '$dynamicAnchor');
    if (typeof id === 'string' && !found.has(id)) found.set(id, pointer);
    if (typeof anchor === 'string' && !found.has(`#${anchor}`)) found.set(`#${anchor}`, pointer);
    for (const [name, item] of Object.entries(value)) visit(item, pointer + pointerOf(name));
  };
  visit(raw, '');
  return found;
}
