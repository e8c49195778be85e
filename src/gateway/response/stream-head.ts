/** The status and headers of a reply that is a stream, made from its first chunk. */
import type { IncomingHttpHeaders } from 'node:http';
import { type StreamFormat, sequentialFormat } from '../../contract/stream-types.ts';
import { NO_BYTES, type ReplyMessage } from '../../core/messages/message.ts';
import type { Problem } from '../common/problem.ts';
import type { Validator } from './conditional.ts';
import { sentTag, tagsMatch } from './entity-tag.ts';
import { changeHeader, hasHeader } from './header-list.ts';
import {
  addWorkerHeaders,
  checkReply,
  evaluateConditions,
  headersOf,
  preconditionFailed,
  type ResponseContext,
  useClientTag,
} from './reply.ts';
import { readExtras } from './reply-headers.ts';

/** The head of a streamed reply. */
export interface StreamHead {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly contentType: string;
  readonly format: StreamFormat;
  /** The content length that the worker announced. */
  readonly length: number | undefined;
  /** Whether no body follows: for HEAD, and for a status without one. */
  readonly isBodiless: boolean;
}

/** The head of a streamed reply, or the problem to respond with if the reply cannot be sent. */
export function streamHead(context: ResponseContext, reply: ReplyMessage): StreamHead | Problem {
  const { gateway, req } = context;
  const extras = readExtras(reply, gateway.settings.requestIdHeader.toLowerCase(), 'content-length');
  const contentType = reply.contentType || 'application/octet-stream';
  const whole = { ...reply, body: NO_BYTES };
  const problem = checkReply(context, whole, contentType, undefined, false);
  if (problem !== undefined) return problem;
  const given = extras?.headers.get('content-length');
  extras?.headers.delete('content-length');
  const headers = headersOf(context, extras?.timing, 'first-chunk');
  if (extras !== undefined) addWorkerHeaders(context, extras, headers);
  let { status } = reply;
  if (status === 200 && extras !== undefined) {
    const conditions = evaluateConditions(context, undefined, extras, headers);
    if (conditions === 'failed') return preconditionFailed();
    if (conditions === 'not-modified') status = 304;
  }
  if (status === 304) useClientTag(req, headers);
  else if (gateway.settings.compression !== false)
    changeHeader(headers, 'etag', (tag) => sentTag(tag, undefined));
  const format = sequentialFormat(contentType) ?? 'bytes';
  const isEmptyStatus = status === 204 || status === 304 || status === 205;
  const length = format === 'events' || isEmptyStatus ? undefined : lengthOf(given);
  if (!isEmptyStatus) addStreamHeaders(headers, contentType, format, length);
  else if (status === 205) headers.push('Content-Length', '0');
  return { status, headers, contentType, format, length, isBodiless: isEmptyStatus || req.method === 'HEAD' };
}

/** Adds the headers that describe the body, and those that keep proxies from holding it back. */
function addStreamHeaders(
  headers: string[],
  contentType: string,
  format: StreamFormat,
  length: number | undefined,
): void {
  headers.push('Content-Type', contentType);
  if (length !== undefined) headers.push('Content-Length', String(length));
  if (format === 'events' && !hasHeader(headers, 'cache-control')) headers.push('Cache-Control', 'no-cache');
  if (format !== 'bytes' && !hasHeader(headers, 'x-accel-buffering')) headers.push('X-Accel-Buffering', 'no');
}

function lengthOf(given: string | readonly string[] | undefined): number | undefined {
  return typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : undefined;
}

/**
 * Whether a partial reply must not be sent: the client asked for the range of another representation
 * than the current one (RFC 9110, 13.1.5).
 */
export function isOutdatedRange(headers: IncomingHttpHeaders, reply: ReplyMessage): boolean {
  const condition = headers['if-range'];
  if (condition === undefined || reply.status !== 206) return false;
  const { etag, lastModified } = validatorOf(reply);
  const given = String(condition).trim();
  if (given.startsWith('W/')) return true;
  if (!given.startsWith('"')) return given !== lastModified;
  return etag === undefined || etag.startsWith('W/') || !tagsMatch(given, etag);
}

function validatorOf(reply: ReplyMessage): Validator {
  const headers = readExtras(reply, '')?.headers;
  const single = (name: string): string | undefined => {
    const value = headers?.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return { etag: single('etag'), lastModified: single('last-modified') };
}
