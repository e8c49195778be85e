/**
 * The files of Swagger UI that the page loads. The build compresses them into `dist`, next to this
 * module: the package `swagger-ui-dist` has 12 MB, of which a browser needs 2 MB, or 0.5 MB
 * compressed. A run from the sources reads the package, a development dependency, instead.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/** Media types of the files that are served; `scripts/lib/project.mjs` copies the same files. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-16x16.png', 'image/png'],
  ['favicon-32x32.png', 'image/png'],
]);

const BUILT = fileURLToPath(new URL('./swagger-ui/', import.meta.url));

const loaded = new Map<string, SwaggerUiFile>();

/** Returns a file, which is read once; undefined if the page has no such file. */
export function swaggerUiFile(name: string): SwaggerUiFile | undefined {
  const contentType = TYPES.get(name);
  if (contentType === undefined) return undefined;
  let file = loaded.get(name);
  if (file === undefined) {
    file = swaggerUiFileOf(contentType, compressed(name));
    loaded.set(name, file);
  }
  return file;
}

/** Makes a file of its compressed bytes. */
export function swaggerUiFileOf(contentType: string, gzip: Buffer): SwaggerUiFile {
  const identity = gunzipSync(gzip);
  return { contentType, etag: `W/${etagOf(identity)}`, gzip, identity };
}

function compressed(name: string): Buffer {
  const built = path.join(BUILT, `${name}.gz`);
  if (existsSync(built)) return readFileSync(built);
  const packageFile = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json');
  return gzipSync(readFileSync(path.join(path.dirname(packageFile), name)));
}
