/**
 * Decodes compressed bodies. The decoded size is limited, so that a small body cannot fill the
 * memory.
 */
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { NO_BYTES } from '../../core/messages/message.ts';
import { httpProblem, invalidRequest } from '../common/problem.ts';
import type { BodyResult } from './reader.ts';

type Decompress = (
  bytes: Buffer,
  options: { maxOutputLength: number },
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void;

/**
 * Decodes `deflate`, which is the zlib format (RFC 9110, 8.4.1.2). Some clients send raw deflate
 * data, which has no zlib header.
 */
const inflateEither: Decompress = (bytes, options, done) => {
  const [first = 0, second = 0] = bytes;
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  if (isZlib) inflate(bytes, options, done);
  else inflateRaw(bytes, options, done);
};

const DECODERS: Readonly<Record<string, Decompress>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  br: brotliDecompress,
  deflate: inflateEither,
};

const ACCEPTED = ['Accept-Encoding', 'gzip, br, deflate'];

/**
 * Decodes the content coding of a body.
 * @param limit maximum size of the decoded body, in bytes.
 */
export function decodeBody(coding: string, bytes: Buffer, limit: number, done: BodyResult): void {
  const name = coding.trim().toLowerCase();
  if (name === 'identity' || name === '') {
    done(undefined, bytes);
    return;
  }
  const decompress = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (decompress === undefined) {
    const detail = `The content coding ${JSON.stringify(coding)} is not supported.`;
    done(httpProblem('UNSUPPORTED_MEDIA_TYPE', detail, ACCEPTED), NO_BYTES);
    return;
  }
  decompress(bytes, { maxOutputLength: limit }, (error, result) => {
    if (error === null) done(undefined, result);
    else if (error.code === 'ERR_BUFFER_TOO_LARGE') {
      done(
        httpProblem('PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes when decompressed.`),
        NO_BYTES,
      );
    } else
      done(
        invalidRequest([{ pointer: '/body', detail: `is not valid ${name}, which Content-Encoding names` }]),
        NO_BYTES,
      );
  });
}
