/**
 * The files of Swagger UI, which the build writes into `dist` next to this module
 * (`scripts/lib/swagger-ui.mjs`).
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { etagOf } from '../response/entity-tag.ts';

/** A file with its two codings. */
export interface SwaggerUiFile {
  readonly contentType: string;
  /** Weak, because it is the same for both codings. */
  readonly etag: string;
  readonly gzip: Buffer;
  readonly identity: Buffer;
}

/** The page itself. */
export const PAGE = 'index.html';
const INIT = 'swagger-ui-init.js';

const TYPES: ReadonlyMap<string, string> = new Map([
  [PAGE, 'text/html; charset=utf-8'],
  [INIT, 'text/javascript; charset=utf-8'],
  ['swagger-ui-streams.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui-standalone-preset.js', 'text/javascript; charset=utf-8'],
  ['favicon-16x16.png', 'image/png'],
  ['favicon-32x32.png', 'image/png'],
]);

/** The second folder is that of a run from the sources. */
const FOLDERS = ['./swagger-ui/', '../../../dist/gateway/pages/swagger-ui/'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/** Files that are the same for all gateways of the process; each is read once. */
const loaded = new Map<string, SwaggerUiFile>();

/** The files of one page. */
export class SwaggerUiFiles {
  private init: SwaggerUiFile | undefined;

  /** @param documentUrl URL of the document, relative to the page. */
  constructor(private readonly documentUrl: string) {}

  /**
   * Returns a file; undefined if the page has no such file.
   * @throws {Error} when the file cannot be read.
   */
  find(name: string): SwaggerUiFile | undefined {
    if (!TYPES.has(name)) return undefined;
    if (name === INIT) return (this.init ??= this.readInit());
    let file = loaded.get(name);
    if (file === undefined) {
      file = fileOf(name, compressed(name));
      loaded.set(name, file);
    }
    return file;
  }

  private readInit(): SwaggerUiFile {
    const script = gunzipSync(compressed(INIT)).toString();
    const placeholder = JSON.stringify('__DOCUMENT_URL__');
    return fileOf(INIT, gzipSync(script.replaceAll(placeholder, () => JSON.stringify(this.documentUrl))));
  }
}

function fileOf(name: string, gzip: Buffer): SwaggerUiFile {
  const identity = gunzipSync(gzip);
  return { contentType: TYPES.get(name) ?? '', etag: `W/${etagOf(identity)}`, gzip, identity };
}

function compressed(name: string): Buffer {
  const files = FOLDERS.map((folder) => path.join(folder, `${name}.gz`));
  return readFileSync(files.find((file) => existsSync(file)) ?? path.join(FOLDERS[0] ?? '', `${name}.gz`));
}
