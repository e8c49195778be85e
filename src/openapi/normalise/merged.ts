/** Types of the merge: its base, its sources and its result. */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { JsonObject } from '../../contract/json.ts';
import type { Ingested } from '../model/ingested.ts';
import type { Operation } from '../model/operation.ts';
import type { ReadContract } from '../model/read-contract.ts';

/** Parts of the served document that do not come from the sources. */
export interface DocumentBase {
  /**
   * Title, version and other fields of the Info Object. They override those of the sources.
   *
   * @defaultValue the Info Object of the source, if there is only one; otherwise the title `API`,
   * the version `1.0.0` and a description that lists the sources
   */
  readonly info?: Partial<OpenAPIV3_1.InfoObject>;
  /**
   * Servers of the served document. The servers that sources name are ignored.
   *
   * @defaultValue `/`, the gateway that serves the document
   */
  readonly servers?: readonly OpenAPIV3_1.ServerObject[];
  /**
   * Security schemes that sources may use without defining them.
   *
   * @defaultValue none
   */
  readonly securitySchemes?: Readonly<Record<string, OpenAPIV3_1.SecuritySchemeObject>>;
}

/** A source to merge. */
export interface MergedSource {
  readonly name: string;
  readonly contract: ReadContract;
  readonly available: boolean;
  /** Whether workers announced it; while none serves it, a conflicting contract replaces it. */
  readonly fromWorker: boolean;
  /**
   * The source with its components renamed, kept so that unchanged parts stay identical objects.
   */
  readonly renamed: { names: string; ingested: Ingested | undefined };
}

/** An operation of the served document. */
export interface MergedEntry {
  readonly path: string;
  readonly method: Operation['method'];
  readonly source: string;
  /** The operation as the document shows it while a worker serves it. */
  readonly operation: JsonObject;
}

/** All sources in one document. */
export interface Merged {
  readonly document: OpenAPIV3_1.Document;
  readonly operations: readonly Operation[];
  readonly entries: readonly MergedEntry[];
}
