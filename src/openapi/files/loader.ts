/**
 * Reads a document with the files that it refers to. It follows references only where the
 * specification defines them (see walk.ts), and never accesses the network.
 *
 * This file exists although `@redocly/openapi-core` (MIT) bundles documents too. That library
 * inlines files that extensions refer to, rounds numbers beyond 2^53, reads `version: 1.10` as 1.1,
 * and adds 19 MB of dependencies. Its bundles also have no line numbers, which `ingest` needs to
 * report problems.
 */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
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
import { type ContractLimits, plainCopy } from '../model/limits.ts';
import { Problems } from '../model/problems.ts';
import { walk } from '../model/walk.ts';
import { anchorsOf } from './anchors.ts';
import { DocumentFile, type LinePosition } from './document-file.ts';
import { FILES } from './references.ts';
import { restoreTexts } from './text-fields.ts';

/**
 * Called with the path of each file before its first access, even if the file does not exist. It
 * may be called several times for one file.
 */
export type OnFile = (path: string) => void;

/** Location of a value of the loaded document: the file, and the pointer in it. */
export interface FileLocation extends LinePosition {
  readonly file: string;
  readonly pointer: string;
}

interface OpenFile {
  readonly file: DocumentFile;
  /** Pointer of the file's value in the loaded document. */
  readonly base: string;
  /** Content of the file. Its references are rewritten to point into the loaded document. */
  readonly value: Json;
  anchors: ReadonlyMap<string, string> | undefined;
}

/** A value that a reference points to. */
interface Target {
  readonly kind: Kind;
  readonly file: OpenFile;
  readonly pointer: string;
}

/** Loads one document and all files that it refers to. */
export class Loader {
  readonly problems = new Problems(true);
  private readonly path: string;
  /** Real path of the folder that references must not leave. */
  private readonly folder: string;
  /** Files by real path, the document first; undefined if the file cannot be read. */
  private readonly files = new Map<string, OpenFile | undefined>();
  private readonly targets: Target[] = [];
  private readonly seen = new Map<Kind, WeakSet<object>>();
  /** Objects whose references are already rewritten. */
  private readonly rewritten = new WeakSet<object>();
  /**
   * Pointers of references to files that cannot be read. They are problems, but are not reported
   * one by one.
   */
  private readonly unread = new Set<string>();
  private readonly realPaths = new Map<string, string | undefined>();
  private bytes: number;

  constructor(
    path: string,
    private readonly limits: ContractLimits,
    private readonly onFile: OnFile | undefined,
  ) {
    this.path = resolve(path);
    this.bytes = limits.bytes;
    onFile?.(this.path);
    const actual = this.real(this.path);
    this.folder = dirname(actual ?? this.path);
  }

  /**
   * Loads the document.
   *
   * @throws {ContractError} when the file of the document cannot be read; other problems are
   *   collected in `problems`.
   */
  load(): JsonObject {
    const own = this.read(this.path, '');
    this.files.set(this.real(this.path) ?? this.path, own);
    const document = own.value;
    if (!isObject(document)) throw new ContractError('a document must be an object', { source: this.path });
    this.targets.push({ kind: 'document', file: own, pointer: '' });
    // `visit` adds targets to this list during the iteration.
    for (const { kind, file, pointer } of this.targets) {
      walk(kind, at(file.value, pointer), pointer, (of, object, location) =>
        this.visit(of, object, location, file),
      );
    }
    const others = [...this.files.values()].flatMap((file) =>
      file === undefined || file === own ? [] : [file],
    );
    if (others.length > 0) {
      document[FILES] = Object.fromEntries(others.map((file) => [this.nameOf(file.file.path), file.value]));
    }
    return document;
  }

  /** Returns the absolute paths of all files that were read; the document comes first. */
  paths(): string[] {
    return [...this.files.values()].flatMap((file) => (file === undefined ? [] : [file.file.path]));
  }

  /** Returns the file and line of the value at a JSON pointer of the loaded document. */
  locate(pointer: string): FileLocation | undefined {
    const tokens = tokensOf(pointer) ?? [];
    const base = tokens[0] === FILES ? pointerOf(...tokens.slice(0, 2)) : '';
    const found = [...this.files.values()].find((file) => file?.base === base);
    const inFile = pointer.slice(base.length);
    const location = found?.file.locate(inFile);
    return location === undefined || found === undefined
      ? undefined
      : { ...location, file: found.file.path, pointer: inFile };
  }

  /**
   * Returns whether a problem at this pointer is only a consequence of a file that cannot be read.
   */
  isConsequence(pointer: string | undefined): boolean {
    return pointer !== undefined && this.unread.has(pointer);
  }

  private read(path: string, base: string): OpenFile {
    this.onFile?.(path);
    const file = new DocumentFile(path, this.bytes);
    this.bytes -= file.bytes;
    try {
      return { file, base, value: plainCopy(file.value, this.limits, true), anchors: undefined };
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      throw error.within({ source: path, ...file.locate(error.location.pointer ?? '') });
    }
  }

  private open(path: string): OpenFile | undefined {
    if (!this.files.has(path)) {
      // Registered before it is read, so that a broken file is reported only once.
      this.files.set(path, undefined);
      this.files.set(
        path,
        this.problems.attempt(() => this.read(path, pointerOf(FILES, this.nameOf(path)))),
      );
    }
    return this.files.get(path);
  }

  private nameOf(path: string): string {
    return relative(this.folder, path).split(sep).join('/');
  }

  private visit(kind: Kind, object: JsonObject, pointer: string, file: OpenFile): boolean {
    const seen = this.seen.get(kind) ?? new WeakSet();
    this.seen.set(kind, seen);
    if (seen.has(object)) return false;
    seen.add(object);
    restoreTexts(kind, object);
    if (SECTIONS[kind] === undefined || this.rewritten.has(object)) return true;
    this.rewritten.add(object);
    this.rewriteReference(object, '$ref', { kind, file, pointer });
    if (kind !== 'schema') return true;
    this.rewriteReference(object, '$dynamicRef', { kind, file, pointer });
    this.rewriteMapping(object, file, pointer);
    return true;
  }

  private rewriteReference(holder: JsonObject, name: string, from: Target): void {
    const ref = member(holder, name);
    if (typeof ref !== 'string') return;
    const location = { pointer: from.file.base + from.pointer };
    const rewritten = this.problems.attempt(() => this.follow(ref, from), location);
    // The reference is removed so that it is not reported again.
    if (rewritten === undefined) delete holder[name];
    else holder[name] = rewritten;
  }

  private rewriteMapping(schema: JsonObject, file: OpenFile, pointer: string): void {
    const discriminator = member(schema, 'discriminator');
    const mapping = isObject(discriminator) ? member(discriminator, 'mapping') : undefined;
    if (!isObject(mapping)) return;
    for (const [name, value] of Object.entries(mapping)) {
      // A plain component name is kept; any other value is a reference (OpenAPI 3.1, 4.8.25).
      if (typeof value !== 'string' || (/^[\w.-]*$/.test(value) && !this.isFile(value, file))) continue;
      this.rewriteReference(mapping, name, { kind: 'schema', file, pointer: `${pointer}/discriminator` });
    }
  }

  private isFile(name: string, file: OpenFile): boolean {
    if (!name.includes('.') || at(file.value, pointerOf('components', 'schemas', name)) !== undefined)
      return false;
    return this.real(join(dirname(file.file.path), name)) !== undefined;
  }

  /** Rewrites a reference to point into the loaded document; its target is visited later. */
  private follow(ref: string, from: Target): string {
    const [name = '', ...rest] = ref.split('#');
    const fragment = rest.join('#');
    if (name === '') return this.pointInto(from.file, fragment, ref, from);
    this.anchorsIn(from.file);
    // The reference is the URI (`$id`) of a schema in the same file; `References` resolves it.
    if (from.file.anchors?.has(name) === true) return ref;
    const invalid = (reason: string): ContractError =>
      new ContractError(`$ref ${JSON.stringify(ref)} ${reason}`);
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(ref))
      throw invalid('points to the network; only local files can be referenced');
    const decoded = decode(name);
    const path = isAbsolute(decoded) ? decoded : join(dirname(from.file.file.path), decoded);
    this.onFile?.(path);
    const actual = this.real(path);
    if (actual === undefined) throw invalid('points to a file that does not exist');
    if (!actual.startsWith(this.folder + sep)) throw invalid('points outside the folder of the document');
    const file = this.open(actual);
    if (file !== undefined) return this.pointInto(file, fragment, ref, from);
    this.unread.add(from.file.base + from.pointer);
    return ref;
  }

  private pointInto(file: OpenFile, fragment: string, ref: string, from: Target): string {
    const pointer = decode(fragment);
    if (tokensOf(pointer) !== undefined) {
      // Some documents use `#/` for the whole file.
      const exact = pointer === '/' && at(file.value, pointer) === undefined ? '' : pointer;
      this.targets.push({ kind: from.kind, file, pointer: exact });
      return `#${encodeURI(file.base)}${exact === pointer ? fragment : ''}`;
    }
    const anchored = this.anchorsIn(file).get(`#${fragment}`);
    if (anchored !== undefined) this.targets.push({ kind: from.kind, file, pointer: anchored });
    // If several anchors in this file have the same name, `References` chooses the right one.
    if (file === from.file) return ref;
    if (anchored === undefined) throw new ContractError(`$ref ${JSON.stringify(ref)} has no target`);
    return `#${encodeURI(file.base + anchored)}`;
  }

  private anchorsIn(file: OpenFile): ReadonlyMap<string, string> {
    file.anchors ??= anchorsOf(file.value);
    return file.anchors;
  }

  /** Returns the path with symbolic links resolved, or undefined if the file does not exist. */
  private real(path: string): string | undefined {
    if (!this.realPaths.has(path)) {
      let actual: string | undefined;
      try {
        actual = realpathSync(path);
      } catch {
        actual = undefined;
      }
      this.realPaths.set(path, actual);
    }
    return this.realPaths.get(path);
  }
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
