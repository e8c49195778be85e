/**
 * Segments: how the parts of a multipart body travel in the chunks of an upload. Chunks may end
 * anywhere in a segment. Numbers are unsigned and little-endian.
 *
 * ```
 * head  1 length:4 JSON of a {@link PartHead}
 * data  2 length:4 bytes
 * end   3, of the part
 * ```
 */
import { parseObject } from '../core/json/parse-object.ts';

const HEAD = 1;
const DATA = 2;
const END = 3;
const PREFIX = 5;

/** Maximum size of the head of a part, in bytes. */
const MAX_PART_HEAD = 64 * 1024;

/** Head of a part of a multipart body (RFC 7578, section 4). */
export interface PartHead {
  /** Name of the form field. */
  readonly name: string;
  /** File name that the client sent; absent for a field that is not a file. */
  readonly filename?: string;
  /** Media type of the part. */
  readonly contentType: string;
}

/** A segment, or a slice of a data segment. */
export type PartSegment =
  | { readonly kind: 'head'; readonly head: PartHead }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' };

/** Encodes the head of a part. */
export function encodePartHead({ name, filename, contentType }: PartHead): Buffer {
  return withPrefix(HEAD, Buffer.from(JSON.stringify({ name, filename, contentType })));
}

/** Encodes bytes of the current part. */
export function encodePartData(bytes: Buffer): Buffer {
  return withPrefix(DATA, bytes);
}

/** Encodes the end of the current part. */
export function encodePartEnd(): Buffer {
  return Buffer.from([END]);
}

function withPrefix(kind: number, bytes: Buffer): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX);
  prefix[0] = kind;
  prefix.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Decodes segments from chunks of any size. Data is passed on without waiting for its segment. */
export class PartSegmentReader {
  /** Bytes of an unfinished prefix or head. */
  private rest: Buffer = Buffer.alloc(0);
  /** Bytes of the current data segment that have not arrived yet. */
  private dataLeft = 0;
  private inPart = false;

  /** Whether the segments may end here: no part is open. */
  get complete(): boolean {
    return !this.inPart && this.rest.length === 0;
  }

  /**
   * Reads the next chunk.
   *
   * @throws {Error} when the bytes are not segments; the reader must not be used again.
   */
  read(chunk: Buffer): PartSegment[] {
    const segments: PartSegment[] = [];
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const used = this.dataLeft > 0 ? this.data(bytes, segments) : this.segment(bytes, segments);
      if (used === 0) break;
      bytes = bytes.subarray(used);
    }
    this.rest = bytes;
    return segments;
  }

  private data(bytes: Buffer, segments: PartSegment[]): number {
    const used = Math.min(bytes.length, this.dataLeft);
    if (used > 0) segments.push({ kind: 'data', bytes: bytes.subarray(0, used) });
    this.dataLeft -= used;
    return used;
  }

  /** Reads one segment, or the prefix of a data segment. Returns 0 if bytes are missing. */
  private segment(bytes: Buffer, segments: PartSegment[]): number {
    const kind = bytes[0];
    if (kind === undefined) return 0;
    if (this.inPart ? kind !== DATA && kind !== END : kind !== HEAD) {
      throw new Error(`the segment kind ${kind} is not expected here`);
    }
    if (kind === END) {
      this.inPart = false;
      segments.push({ kind: 'end' });
      return 1;
    }
    if (bytes.length < PREFIX) return 0;
    const length = bytes.readUInt32LE(1);
    if (kind === DATA) {
      this.dataLeft = length;
      return PREFIX;
    }
    if (length > MAX_PART_HEAD) throw new Error(`the head of a part has ${length} bytes`);
    if (bytes.length < PREFIX + length) return 0;
    segments.push({ kind: 'head', head: readHead(bytes.subarray(PREFIX, PREFIX + length)) });
    this.inPart = true;
    return PREFIX + length;
  }
}

function readHead(bytes: Buffer): PartHead {
  const { name, filename, contentType } = parseObject(bytes, MAX_PART_HEAD) ?? {};
  if (typeof name !== 'string' || typeof contentType !== 'string') {
    throw new Error('the head of a part is not JSON with a name and a content type');
  }
  return typeof filename === 'string' ? { name, filename, contentType } : { name, contentType };
}
