/** Compression of larger replies. */
import { brotliCompress, constants, gzip } from 'node:zlib';
import { chooseCoding } from './body/media.ts';

/** Codings that the gateway can answer with, best first. */
const CODINGS = ['br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

const COMPRESSIBLE = /^(?:text\/|application\/(?:[^;]*\+)?(?:json|xml|yaml|javascript)|image\/svg\+xml)/i;

/** Whether a media type is worth compressing. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type);
}

/** The coding that an Accept-Encoding header asks for; undefined: none that we have. */
export function codingFor(acceptEncoding: string | string[] | undefined): Coding | undefined {
  return typeof acceptEncoding === 'string' ? chooseCoding(acceptEncoding, CODINGS) : undefined;
}

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const GZIP = { level: 6 };

/** Compresses on the thread pool; `done` gets undefined when that fails, or gains nothing. */
export function compress(body: Buffer, coding: Coding, done: (compressed: Buffer | undefined) => void): void {
  const finish = (error: Error | null, result: Buffer): void => {
    done(error === null && result.length < body.length ? result : undefined);
  };
  if (coding === 'br') brotliCompress(body, BROTLI, finish);
  else gzip(body, GZIP, finish);
}
