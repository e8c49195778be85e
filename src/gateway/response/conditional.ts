/**
 * Evaluates conditional requests (RFC 9110, 13). The package `fresh` 2.0.0 is faster (65 ns against
 * 230 ns of CPU time for `If-None-Match`, median of 9 alternating runs; a request takes about 30 µs),
 * but covers GET and HEAD only, splits a tag such as `"a,b"` at its comma, and does not know that
 * `"v1-br"` is a compressed `"v1"`.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { tagsMatch, tagsOf } from './entity-tag.ts';

/** The validators of a representation. */
export interface Validator {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Whether a request has a precondition. */
export function isConditional(headers: IncomingHttpHeaders): boolean {
  return (
    headers['if-match'] !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  );
}

/** The result of evaluating preconditions. */
export type ConditionResult = 'proceed' | 'not-modified' | 'failed';

/**
 * Evaluates the preconditions in the order of RFC 9110, 13.2.2.
 * @param current undefined if the resource does not exist.
 * @param isRead whether the method is GET or HEAD.
 */
export function evaluate(
  headers: IncomingHttpHeaders,
  current: Validator | undefined,
  isRead: boolean,
): ConditionResult {
  const ifMatch = headers['if-match'];
  const unmodifiedSince = headers['if-unmodified-since'];
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, current, strongMatch)) return 'failed';
  } else if (unmodifiedSince !== undefined && isLater(current?.lastModified, unmodifiedSince))
    return 'failed';
  const ifNoneMatch = headers['if-none-match'];
  const modifiedSince = headers['if-modified-since'];
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, current, tagsMatch)) return isRead ? 'not-modified' : 'failed';
  } else if (isRead && modifiedSince !== undefined && current?.lastModified !== undefined) {
    if (isLater(current.lastModified, modifiedSince) === false) return 'not-modified';
  }
  return 'proceed';
}

type Compare = (given: string, etag: string) => boolean;

const strongMatch: Compare = (given, etag) =>
  !given.startsWith('W/') && !etag.startsWith('W/') && tagsMatch(given, etag);

function matches(header: string, current: Validator | undefined, compare: Compare): boolean {
  if (current === undefined) return false;
  if (header.trim() === '*') return true;
  const { etag } = current;
  if (etag === undefined) return false;
  return tagsOf(header).some((given) => compare(given, etag));
}

/** Whether a date is later than another; undefined if one of them is not a valid date. */
function isLater(date: string | undefined, other: string): boolean | undefined {
  const first = Date.parse(date ?? '');
  const second = Date.parse(other);
  if (Number.isNaN(first) || Number.isNaN(second)) return undefined;
  return first > second;
}
