/**
 * API documents from files: OpenAPI 3.0 and 3.1, YAML and JSON, with `$ref`s to other files below the folder of
 * the document. Nothing is ever fetched.
 */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ContractError } from '../contract/errors.ts';
import {
  escapeToken,
  isObject,
  type Json,
  type JsonObject,
  member,
  pointerOf,
  tokensOf,
} from '../contract/json.ts';
import { DocumentFile, type LinePlace } from './document-file.ts';
import { DOCUMENT_LIMITS, plainCopy } from './limits.ts';
import type { ApiSnapshot } from './operation.ts';
import { FILES } from './references.ts';
import type { ApiRegistry, PutOptions } from './registry.ts';

/** Most files that one document may be spread over. */
const MAX_FILES = 1000;

/** A document with all that it refers to. */
export interface LoadedDocument {
  /** One value; what other files hold stands in it, and references lead there. */
  readonly document: JsonObject;
  /** Absolute paths of all files, the document's own first. */
  readonly files: readonly string[];
  /** Where the value at a JSON pointer of `document` stands. */
  locate(pointer: string): (LinePlace & { readonly file: string }) | undefined;
}

/** Told of each file by its path, before it is first looked at, whether it is there or not; possibly several times. */
export type OnFile = (path: string) => void;

/**
 * Reads a document and the files that it refers to.
 * @throws ContractError naming file, line and reason.
 */
export function loadDocument(file: string, onFile?: OnFile): LoadedDocument {
  return new Loader(resolve(file), onFile).load();
}

/**
 * Reads a document and puts it into a registry, under the name of its file unless told otherwise.
 * @throws ContractError naming file, line, operation and reason; the registry is as it was then.
 */
export function putDocument(
  registry: ApiRegistry,
  file: string,
  options: PutOptions & { readonly name?: string; readonly onFile?: OnFile } = {},
): { readonly snapshot: ApiSnapshot; readonly files: readonly string[] } {
  const { name = file, onFile, ...rest } = options;
  const loaded = loadDocument(file, onFile);
  try {
    return { snapshot: registry.put(name, loaded.document, rest), files: loaded.files };
  } catch (error) {
    if (!(error instanceof ContractError) || error.place.pointer === undefined) throw error;
    const place = loaded.locate(error.place.pointer);
    if (place === undefined) throw error;
    const elsewhere = place.file === loaded.files[0] ? {} : { source: place.file };
    throw error.within({ line: place.line, column: place.column, ...elsewhere });
  }
}

class Loader {
  private readonly path: string;
  /** Real path of the folder that nothing may lead out of. */
  private readonly folder: string;
  /** By absolute path: the file, and its name within the document. */
  private readonly files = new Map<string, { file: DocumentFile; name: string }>();
  private readonly waiting: string[] = [];

  constructor(
    path: string,
    private readonly onFile: OnFile | undefined,
  ) {
    this.path = path;
    onFile?.(path);
    this.folder = dirname(real(path, path));
  }

  load(): LoadedDocument {
    const own = this.open(this.path);
    const document = this.read(own.file, '');
    if (!isObject(document)) throw new ContractError('a document must be an object', { source: this.path });
    const others: JsonObject = {};
    for (const path of this.waiting) {
      const { file, name } = this.open(path);
      others[name] = this.read(file, pointerOf(FILES, name));
    }
    if (this.waiting.length > 0) document[FILES] = others;
    return {
      document,
      files: [...this.files.keys()],
      locate: (pointer) => this.locate(pointer),
    };
  }

  private open(path: string): { file: DocumentFile; name: string } {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    if (this.files.size >= MAX_FILES)
      throw new ContractError(`more than ${MAX_FILES} files`, { source: this.path });
    this.onFile?.(path);
    const opened = {
      file: new DocumentFile(path, DOCUMENT_LIMITS.bytes),
      name: relative(this.folder, path).split(sep).join('/'),
    };
    this.files.set(path, opened);
    return opened;
  }

  /** What a file holds, its references led to where things stand in the one document. */
  private read(file: DocumentFile, base: string): Json {
    try {
      const value = plainCopy(file.value, DOCUMENT_LIMITS);
      this.rewrite(value, '', { file: file.path, base, map: false });
      return value;
    } catch (error) {
      if (!(error instanceof ContractError) || error.place.source !== undefined) throw error;
      throw error.within({ source: file.path, ...file.locate(error.place.pointer ?? '') });
    }
  }

  private rewrite(value: Json, pointer: string, where: Where): void {
    if (Array.isArray(value)) {
      value.forEach((item, index) => this.rewrite(item, `${pointer}/${index}`, { ...where, map: false }));
    }
    if (!isObject(value)) return;
    const ref = member(value, '$ref');
    if (typeof ref === 'string' && !where.map) value['$ref'] = this.lead(ref, pointer, where);
    for (const [name, item] of Object.entries(value)) {
      // Examples and the like are data: a `$ref` in them leads nowhere.
      if (!where.map && DATA.has(name)) continue;
      const map = !where.map && MAPS.has(name);
      if (name === 'mapping' && isObject(item)) this.rewriteMapping(item, `${pointer}/mapping`, where);
      else this.rewrite(item, `${pointer}/${escapeToken(name)}`, { ...where, map });
    }
  }

  private rewriteMapping(mapping: JsonObject, pointer: string, where: Where): void {
    for (const [name, target] of Object.entries(mapping)) {
      if (typeof target === 'string' && /[#/.]/.test(target))
        mapping[name] = this.lead(target, pointer, where);
    }
  }

  private lead(ref: string, pointer: string, { file, base }: Where): string {
    if (ref.startsWith('#')) {
      return base === '' || tokensOf(ref.slice(1)) === undefined ? ref : `#${encodeURI(base)}${ref.slice(1)}`;
    }
    const refuse = (reason: string): ContractError =>
      new ContractError(`$ref ${JSON.stringify(ref)} ${reason}`, { pointer });
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(ref))
      throw refuse('leads to the network, where nothing is fetched');
    const [name = '', fragment = ''] = ref.split('#');
    const path = isAbsolute(name) ? name : join(dirname(file), decode(name));
    this.onFile?.(path);
    const actual = real(path, file, refuse);
    if (actual !== this.folder && !actual.startsWith(this.folder + sep)) {
      throw refuse('leads out of the folder of the document');
    }
    if (actual === real(this.path, this.path)) return `#${fragment}`;
    if (!this.waiting.includes(actual)) this.waiting.push(actual);
    const place = pointerOf(FILES, relative(this.folder, actual).split(sep).join('/'));
    return `#${encodeURI(place)}${fragment}`;
  }

  private locate(pointer: string): ReturnType<LoadedDocument['locate']> {
    const tokens = tokensOf(pointer) ?? [];
    const foreign = tokens[0] === FILES;
    for (const { file, name } of this.files.values()) {
      if (foreign ? name !== tokens[1] : file.path !== this.path) continue;
      const place = file.locate(foreign ? pointerOf(...tokens.slice(2)) : pointer);
      return place === undefined ? undefined : { ...place, file: file.path };
    }
    return undefined;
  }
}

interface Where {
  /** The file that is read. */
  readonly file: string;
  /** Where its value stands in the one document. */
  readonly base: string;
  /** Whether the members of the value have names of the author's choice. */
  readonly map: boolean;
}

const DATA = new Set(['example', 'examples', 'default', 'enum', 'const', 'value']);

const MAPS = new Set([
  'paths',
  'webhooks',
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
  'schemas',
  'responses',
  'parameters',
  'requestBodies',
  'headers',
  'securitySchemes',
  'links',
  'callbacks',
  'pathItems',
  'content',
  'encoding',
]);

function real(path: string, source: string, refuse?: (reason: string) => ContractError): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (refuse !== undefined) throw refuse('leads to a file that is not there');
    throw new ContractError('cannot be read: there is no such file', { source }, { cause });
  }
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
