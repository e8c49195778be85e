/**
 * Loads API documents from files: OpenAPI 3.0 and 3.1 in YAML or JSON, with `$ref`s to other files
 * below the folder of the document.
 */
import { ContractError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type FileLocation, Loader, type OnFile } from '../files/loader.ts';
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
  locate(pointer: string): FileLocation | undefined;
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
 * @throws {ContractError} when the document has problems; it lists the file, line and reason of
 *   each.
 */
export function loadDocument(file: string, options: LoadOptions = {}): LoadedDocument {
  const { loader, document } = load(file, options);
  const { list } = loader.problems;
  if (list.length > 0) throw located(ContractError.of(list), loader, file);
  return { document, files: loader.paths(), locate: (pointer) => loader.locate(pointer) };
}

/**
 * Reads a document and adds it to a registry. By default, the source gets the path of the file as
 * its name.
 *
 * @throws {ContractError} when the document has problems; it lists the file, line, operation and
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
    const put = { ...rest, maxBytes, problems: loader.problems.list, onWarning: warn };
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
 * Adds file and line to each problem, and removes duplicates and problems that follow from an
 * unreadable file.
 */
function located(error: ContractError, loader: Loader, name: string): ContractError {
  const own = loader.paths()[0];
  const problems = error.problems.filter(({ location }) => !loader.isConsequence(location.pointer));
  const located = problems.map((problem) => {
    const { pointer, line } = problem.location;
    const location = pointer === undefined || line !== undefined ? undefined : loader.locate(pointer);
    if (location === undefined) return problem.around({ source: name });
    const source = location.file === own ? name : location.file;
    return problem.within({
      source,
      pointer: location.pointer,
      line: location.line,
      column: location.column,
    });
  });
  const distinct = new Map(located.map((problem) => [problem.message, problem]));
  return ContractError.of([...distinct.values()]);
}
