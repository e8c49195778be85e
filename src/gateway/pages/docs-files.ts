/**
 * pages: what the gateway serves itself. The document, the page that shows it, and health checks.
 *
 * The files of a page that shows the document: Swagger UI or Scalar.
 */
import { gunzipSync } from 'node:zlib';
import { etagOf } from '../response/entity-tag.ts';

/** A file with its two codings. */
export interface DocsFile {
  readonly contentType: string;
  /** Weak, because it is the same for both codings. */
  readonly etag: string;
  readonly gzip: Buffer;
  readonly identity: Buffer;
}

/** The files of one page. */
export interface DocsFiles {
  /** Name of what the page is made with, for messages. */
  readonly title: string;
  /**
   * Returns a file; undefined if the page has no such file.
   * @throws {Error} when the file cannot be read.
   */
  find(name: string): DocsFile | undefined;
}

/** The page itself. */
export const PAGE = 'index.html';

/** Creates a file from its compressed bytes. */
export function docsFile(contentType: string, gzip: Buffer): DocsFile {
  const identity = gunzipSync(gzip);
  return { contentType, etag: `W/${etagOf(identity)}`, gzip, identity };
}
