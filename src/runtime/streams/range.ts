/** Range requests (RFC 9110, section 14). */
import { ReplyError } from '../../core/messages/errors.ts';

/** The part of a resource that a request asks for, in bytes. */
export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Last byte, which belongs to the range. */
  readonly end: number;
}

/** Validators of the resource that a request with `If-Range` must match. */
export interface RangeValidators {
  /**
   * Strong entity tag with its quotes, such as `"v7"`.
   *
   * @defaultValue none: a request with an entity tag gets the whole resource
   */
  readonly etag?: string;
  /**
   * Value of the header `Last-Modified`.
   *
   * @defaultValue none: a request with a date gets the whole resource
   */
  readonly lastModified?: string;
}

/** Headers of a range request. */
export interface RangeHeaders {
  /** Value of the header `Range`. */
  readonly range?: string;
  /** Value of the header `If-Range`. */
  readonly ifRange?: string;
}

const UNIT = /^bytes\s*=/i;

/**
 * Returns the range that a request asks for; undefined for the whole resource. The header is ignored
 * if it is invalid or has another unit, and if it lists several ranges: a server may answer with the
 * whole resource (section 14.2).
 *
 * @throws {ReplyError} 416 when the range begins after the end of the resource.
 */
export function rangeOf(
  { range, ifRange }: RangeHeaders,
  size: number,
  validators: RangeValidators = {},
): ByteRange | undefined {
  if (range === undefined || !UNIT.test(range)) return undefined;
  if (ifRange !== undefined && !isCurrent(ifRange, validators)) return undefined;
  const [, first = '', last = ''] = /^\s*(\d*)-(\d*)\s*$/.exec(range.replace(UNIT, '')) ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start < size && (first !== '' || Number(last) > 0)) return { start, end };
  throw new ReplyError(416, 'RANGE_NOT_SATISFIABLE', `the resource has ${size} bytes`, {
    headers: { 'content-range': `bytes */${size}` },
  });
}

/** A weak entity tag never matches (section 13.1.5). */
function isCurrent(ifRange: string, { etag, lastModified }: RangeValidators): boolean {
  return ifRange.startsWith('"') ? ifRange === etag : lastModified !== undefined && ifRange === lastModified;
}
