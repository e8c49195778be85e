/** Conditional requests (RFC 9110, 13): entity tags, dates, and what a request demands of them. */
import type { IncomingHttpHeaders } from 'node:http';
import { tagsMatch, tagsOf } from './entity-tag.ts';

/** What is known of a representation. */
export interface Validator {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Whether a request has any condition on the state of what it is about. */
export function isConditional(headers: IncomingHttpHeaders): boolean {
  return (
    headers['if-match'] !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  );
}

/** How the conditions of a request turn out. */
export type ConditionResult = 'go' | 'not-modified' | 'failed';

/**
 * Evaluates the conditions in the order of RFC 9110, 13.2.2.
 * @param current undefined when there is no such resource.
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
  return 'go';
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

/** Whether a date is later than another; undefined when one of them is none. Seconds count. */
function isLater(date: string | undefined, other: string): boolean | undefined {
  const first = Date.parse(date ?? '');
  const second = Date.parse(other);
  if (Number.isNaN(first) || Number.isNaN(second)) return undefined;
  return first > second;
}
