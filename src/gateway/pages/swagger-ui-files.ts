/**
 * The files of Swagger UI, which the build writes into `dist` next to this module
 * (`scripts/lib/swagger-ui.mjs`).
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type DocsFile, type DocsFiles, docsFile, PAGE } from './docs-files.ts';

const INIT = 'swagger-ui-init.js';

const TYPES: ReadonlyMap<string, string> = new Map([
  [PAGE, 'text/html; charset=utf-8'],
  [INIT, 'text/javascript; charset=utf-8'],
  ['swagger-ui-streams.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui-page.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui-operations.js', 'text/javascript; charset=utf-8'],
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
const loaded = new Map<string, DocsFile>();

/** The files of one page. */
export class SwaggerUiFiles implements DocsFiles {
  readonly title = 'Swagger UI';
  private init: DocsFile | undefined;

  /** @param documentUrl URL of the document, relative to the page. */
  constructor(private readonly documentUrl: string) {}

  find(name: string): DocsFile | undefined {
    if (!TYPES.has(name)) return undefined;
    if (name === INIT) return (this.init ??= this.readInit());
    let file = loaded.get(name);
    if (file === undefined) {
      file = fileOf(name, compressed(name));
      loaded.set(name, file);
    }
    return file;
  }

  private readInit(): DocsFile {
    const script = gunzipSync(compressed(INIT)).toString();
    const placeholder = JSON.stringify('__DOCUMENT_URL__');
    return fileOf(INIT, gzipSync(script.replaceAll(placeholder, () => JSON.stringify(this.documentUrl))));
  }
}

function fileOf(name: string, gzip: Buffer): DocsFile {
  return docsFile(TYPES.get(name) ?? '', gzip);
}

function compressed(name: string): Buffer {
  const files = FOLDERS.map((folder) => path.join(folder, `${name}.gz`));
  return readFileSync(files.find((file) => existsSync(file)) ?? path.join(FOLDERS[0] ?? '', `${name}.gz`));
}
