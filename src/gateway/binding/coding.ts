/** Content codings: bodies that come compressed, bounded so that a small body cannot become a huge one. */
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { NO_BYTES } from '../../core/messages/message.ts';
import { httpProblem, invalidRequest } from '../common/problem.ts';
import type { BodyResult } from './reader.ts';

type Decompress = (
  bytes: Buffer,
  options: { maxOutputLength: number },
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void;

/** `deflate` is zlib's format (RFC 9110, 8.4.1.2); some clients send the bare one, which starts otherwise. */
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
 * Undoes the content coding of a body.
 * @param limit bytes that may come out.
 */
export function decodeBody(coding: string, bytes: Buffer, limit: number, done: BodyResult): void {
  const name = coding.trim().toLowerCase();
  if (name === 'identity' || name === '') {
    done(undefined, bytes);
    return;
  }
  const decompress = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (decompress === undefined) {
    const detail = `The coding ${JSON.stringify(coding)} of the body is not supported.`;
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
        invalidRequest([{ pointer: '/body', detail: `is not ${name}, as Content-Encoding says` }]),
        NO_BYTES,
      );
  });
}
