/**
 * Loads API documents from files: OpenAPI 3.0 and 3.1 in YAML or JSON, with `$ref`s to other files
 * below the folder of the document.
 */
import { ContractError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type FilePlace, Loader, type OnFile } from '../files/loader.ts';
import { DOCUMENT_LIMITS } from '../model/limits.ts';
import type { ApiSnapshot } from '../model/operation.ts';
import type { ApiRegistry, PutOptions } from './registry.ts';

/** A document and all files that it refers to. */
export interface LoadedDocument {
  /**
   * The document as one value. The content of the other files is embedded, and references point
   * into it.
   */
  readonly document: JsonObject;
  /** Absolute paths of all files; the document itself comes first. */
  readonly files: readonly string[];
  /** Returns the file and line of the value at a JSON pointer of `document`. */
  locate(pointer: string): FilePlace | undefined;
}

/** Options for loading a document from files. */
export interface LoadOptions {
  /**
   * Called with the path of each file before its first access, even if the file does not exist.
   *
   * @defaultValue undefined
   */
  readonly onFile?: OnFile | undefined;
  /**
   * Maximum size of the document and all files that it refers to, in bytes.
   *
   * @defaultValue 67108864 (64 MiB)
   */
  readonly maxBytes?: number | undefined;
}

/**
 * Reads a document and the files that it refers to.
 *
 * @param file path of the document.
 * @throws {ContractError} when the document has faults; it lists the file, line and reason of each.
 */
export function loadDocument(file: string, options: LoadOptions = {}): LoadedDocument {
  const { loader, document } = load(file, options);
  const { list } = loader.faults;
  if (list.length > 0) throw located(ContractError.of(list), loader, file);
  return { document, files: loader.paths(), locate: (pointer) => loader.locate(pointer) };
}

/**
 * Reads a document and adds it to a registry. By default, the source gets the path of the file as
 * its name.
 *
 * @throws {ContractError} when the document has faults; it lists the file, line, operation and
 *   reason of each, and the registry is unchanged.
 */
export function putDocument(
  registry: ApiRegistry,
  file: string,
  options: PutOptions & LoadOptions & { readonly name?: string } = {},
): { readonly snapshot: ApiSnapshot; readonly files: readonly string[] } {
  const { name = file, onFile, maxBytes, onWarning, ...rest } = options;
  const { loader, document } = load(file, { onFile, maxBytes });
  try {
    const warn = (warning: ContractError): void => onWarning?.(located(warning, loader, name));
    const put = { ...rest, maxBytes, faults: loader.faults.list, onWarning: warn };
    return { snapshot: registry.put(name, document, put), files: loader.paths() };
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw located(error, loader, name);
  }
}

function load(file: string, { onFile, maxBytes }: LoadOptions): { loader: Loader; document: JsonObject } {
  const limits = { ...DOCUMENT_LIMITS, bytes: maxBytes ?? DOCUMENT_LIMITS.bytes };
  const loader = new Loader(file, limits, onFile);
  return { loader, document: loader.load() };
}

/**
 * Adds file and line to each fault, and removes duplicates and faults that follow from an
 * unreadable file.
 */
function located(error: ContractError, loader: Loader, name: string): ContractError {
  const own = loader.paths()[0];
  const faults = error.faults.filter(({ place }) => !loader.follows(place.pointer));
  const placed = faults.map((fault) => {
    const { pointer, line } = fault.place;
    const place = pointer === undefined || line !== undefined ? undefined : loader.locate(pointer);
    if (place === undefined) return fault.around({ source: name });
    const source = place.file === own ? name : place.file;
    return fault.within({ source, pointer: place.pointer, line: place.line, column: place.column });
  });
  const distinct = new Map(placed.map((fault) => [fault.message, fault]));
  return ContractError.of([...distinct.values()]);
}
