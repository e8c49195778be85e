/** Splits bodies of the media type `multipart/form-data` (RFC 7578) with `@fastify/busboy`. */
import type * as BusboyPackage from '@fastify/busboy';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { parseMediaType } from '../common/media-type.ts';
import { BodyError } from './json.ts';
import type { Part } from './multipart-form.ts';

const busboy = lazyPackage<typeof BusboyPackage>('@fastify/busboy');

/** Maximum number of parts of a form. */
export const MAX_PARTS = 1000;

/** Maximum number of headers of a part. */
export const MAX_HEADERS = 20;

/** Encodings that leave the bytes as they are (RFC 2045, 6.2). */
const IDENTITY = new Set(['7bit', '8bit', 'binary']);

/**
 * The boundary of a form.
 * @throws {BodyError} when its media type has none.
 */
export function boundaryOf(contentType: string): string {
  const boundary = parseMediaType(contentType)?.parameters.get('boundary');
  if (boundary === undefined || boundary === '') {
    throw new BodyError('has no boundary in its Content-Type header (RFC 7578, 4.1)');
  }
  return boundary;
}

/** The error of a part whose bytes are encoded; undefined if they are not. */
export function encodingError(encoding: string): BodyError | undefined {
  if (IDENTITY.has(encoding.toLowerCase())) return undefined;
  const what = `has a part in the transfer encoding ${JSON.stringify(encoding)}`;
  return new BodyError(`${what}; send the bytes unchanged (RFC 7578, 4.7)`);
}

/**
 * Splits a form into its parts.
 * @param contentType the Content-Type header of the form.
 * @throws {BodyError} when the body is not a complete form, or has too many parts.
 */
export async function parseMultipart(bytes: Buffer, contentType: string): Promise<Part[]> {
  checkEnd(bytes, boundaryOf(contentType));
  const parts: Part[] = [];
  await new Promise<void>((resolve, reject) => {
    const { Busboy } = busboy();
    const parser = new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: () => true,
      limits: { parts: MAX_PARTS, headerPairs: MAX_HEADERS },
    });
    parser.on('file', (name, stream, filename: string | undefined, encoding, type) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      const error = encodingError(encoding);
      if (error !== undefined) reject(error);
      stream.on('end', () => {
        parts.push({ name, filename, contentType: type.toLowerCase(), content: Buffer.concat(chunks) });
      });
    });
    parser.on('partsLimit', () => reject(new BodyError(`has more than ${MAX_PARTS} parts`)));
    parser.on('error', () => reject(new BodyError('is not a valid multipart form')));
    parser.on('finish', () => resolve());
    parser.end(bytes);
  });
  return parts;
}

/**
 * Rejects a body that was cut off, and bytes after the form.
 * @param bytes the body, or its end.
 * @throws {BodyError} for both.
 */
export function checkEnd(bytes: Buffer, boundary: string): void {
  const last = `--${boundary}--`;
  const at = bytes.lastIndexOf(last);
  if (at < 0) throw new BodyError('ends before the last boundary of its parts (RFC 2046, 5.1.1)');
  const rest = bytes.subarray(at + last.length).toString('latin1');
  if (!/^[ \t]*(?:\r\n)*$/.test(rest)) throw new BodyError('has bytes after the last boundary of its parts');
}
