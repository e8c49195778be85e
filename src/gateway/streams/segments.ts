/**
 * Encodes the parts of a multipart body for the worker, in the format of `wire/part-segments.ts`,
 * and without copying the bytes of files.
 */
import type { PartHead } from '../binding/streamed-form.ts';

const HEAD = 1;
const DATA = 2;
const END = Buffer.from([3]);

/** The end of a part. */
export const PART_END: Buffer = END;

/** Encodes the head of a part. */
export function partHead({ name, filename, contentType }: PartHead): Buffer[] {
  return withLength(HEAD, Buffer.from(JSON.stringify({ name, filename, contentType })));
}

/** Encodes bytes of a part. */
export function partData(bytes: Buffer): Buffer[] {
  return withLength(DATA, bytes);
}

function withLength(kind: number, bytes: Buffer): Buffer[] {
  const start = Buffer.allocUnsafe(5);
  start[0] = kind;
  start.writeUInt32LE(bytes.length, 1);
  return [start, bytes];
}
