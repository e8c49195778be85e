/** Turns a worker's reply, or a problem, into the response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReplyExtras, ReplyMessage } from '../../core/messages/message.ts';
import { isJsonType, isTextType } from '../common/media-type.ts';
import {
  encodeProblem,
  httpProblem,
  outcomeProblem,
  type Problem,
  type RequestIssue,
} from '../common/problem.ts';
import { type GatewayContext, startHeaders } from '../context/gateway-context.ts';
import type { Route } from '../routing/route.ts';
import { evaluate } from './conditional.ts';
import { validateReply } from './contract-check.ts';
import { decodeReply } from './decode-body.ts';
import { clientTag, etagOf } from './entity-tag.ts';
import { changeHeader, hasHeader } from './header-list.ts';
import { type ReplyHeaders, readExtras } from './reply-headers.ts';
import { addTiming, sendsTiming } from './server-timing.ts';
import { write, writeCompressed } from './writer.ts';

/** What a reply is read with. */
export interface ReplyContext {
  readonly gateway: GatewayContext;
  readonly requestId: string;
  /** Path at which the gateway is mounted; empty at the root. */
  readonly baseUrl: string;
  readonly route: Route;
}

/** What a response is made from. */
export interface ResponseContext extends ReplyContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Headers of this response besides those of its route, names and values in turn. */
  readonly extraHeaders: readonly string[];
  /** When the request arrived, by `performance.now()`; 0 if that is not needed. */
  readonly started: number;
}

/** Media type of problems (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json';
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\t\x20-\x7e]*)?$/;

/**
 * Sends the reply of a worker. Its body is passed through unread, unless replies are checked.
 * @returns the status of the response; or the problem to respond with, if the reply cannot be sent.
 */
export function sendReply(context: ResponseContext, given: ReplyMessage): number | Problem {
  const { gateway, req, route } = context;
  const extras = readExtras(given, gateway.settings.requestIdHeader.toLowerCase());
  const declared =
    given.contentType || firstOf(extras, 'content-type') || route.replies.defaultType(given.status);
  const { contentType, body, mismatch } = bodyOf(given, declared);
  const reply = body === given.body ? given : { ...given, body };
  const problem = checkReply(context, reply, contentType, mismatch);
  if (problem !== undefined) return problem;

  const headers = headersOf(context, extras?.timing);
  if (extras !== undefined) addWorkerHeaders(context, extras, headers);
  let { status } = reply;
  if (status === 200 && (extras !== undefined || route.operation.etag)) {
    const conditions = evaluateConditions(context, reply, extras, headers);
    if (conditions === 'failed') return preconditionFailed();
    if (conditions === 'not-modified') status = 304;
  }
  if (status === 304) useClientTag(req, headers);
  const { compression } = gateway.settings;
  const response = { status, headers, contentType, body };
  const tagged = extras !== undefined || route.operation.etag;
  const plain = compression === false || (body.length < compression.threshold && !tagged);
  return plain ? write(gateway, context, response) : writeCompressed(gateway, context, response, compression);
}

/**
 * The body of a response and its media type. A reply without a media type of its own is JSON, which
 * may stand for text or bytes.
 */
export function bodyOf(
  { contentType, body }: ReplyMessage,
  declared: string,
): { contentType: string; body: Buffer; mismatch?: RequestIssue } {
  if (contentType !== '' || body.length === 0 || isJsonType(declared)) return { contentType: declared, body };
  const decoded = decodeReply(body, declared);
  if (decoded !== undefined) return { contentType: declared, body: decoded };
  const what = isTextType(declared) ? 'a string' : 'a string with base64';
  const detail = `is not ${what}, which is how a JSON reply has the media type ${declared}`;
  return { contentType: 'application/json', body, mismatch: { pointer: '/reply', detail } };
}

/**
 * Sends a problem.
 * @param reply the reply that the problem comes from.
 * @returns the status of the response.
 */
export function sendProblem(context: ResponseContext, problem: Problem, reply?: ReplyMessage): number {
  const { gateway, requestId } = context;
  const extras =
    reply === undefined ? undefined : readExtras(reply, gateway.settings.requestIdHeader.toLowerCase());
  const headers = headersOf(context, extras?.timing);
  if (extras !== undefined && reply?.code === problem.code) addWorkerHeaders(context, extras, headers, true);
  addProblemHeaders(problem, gateway.settings.retryAfter, headers);
  const body = encodeProblem(problem, gateway.settings.problemType, requestId);
  return write(gateway, context, { status: problem.status, headers, contentType: PROBLEM_TYPE, body });
}

/** Sends a problem for a request that has no operation. */
export function sendPlainProblem(
  gateway: GatewayContext,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  problem: Problem,
): void {
  const headers = startHeaders(gateway, gateway.baseHeaders, requestId);
  if (gateway.cors !== undefined) headers.push(...gateway.cors.headersFor(req.headers));
  addProblemHeaders(problem, gateway.settings.retryAfter, headers);
  const body = encodeProblem(problem, gateway.settings.problemType, requestId);
  write(gateway, { req, res }, { status: problem.status, headers, contentType: PROBLEM_TYPE, body });
}

/** Sends the reply to a request that has no operation: the answer of a hook. */
export function sendPlainReply(
  gateway: GatewayContext,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  reply: ReplyMessage,
): void {
  const { status, body } = reply;
  const contentType = reply.contentType || 'application/json';
  if (!isValid(status, contentType)) {
    gateway.logger.error(
      { requestId, status, contentType },
      'the status or media type of a reply is not valid',
    );
    const problem = outcomeProblem('BAD_REPLY', 'The status or media type of the reply is not valid.');
    sendPlainProblem(gateway, req, res, requestId, problem);
    return;
  }
  const headers = startHeaders(gateway, gateway.baseHeaders, requestId);
  if (gateway.cors !== undefined) headers.push(...gateway.cors.headersFor(req.headers));
  const extras = readExtras(reply, gateway.settings.requestIdHeader.toLowerCase());
  for (const [name, value] of extras?.headers ?? [])
    for (const single of [value].flat()) headers.push(name, single);
  write(gateway, { req, res }, { status, headers, contentType, body });
}

/** Adds the headers of a problem. */
export function addProblemHeaders(problem: Problem, retryAfter: number, headers: string[]): void {
  if (problem.headers !== undefined) headers.push(...problem.headers);
  if (problem.status === 503 && !hasHeader(headers, 'retry-after')) {
    headers.push('Retry-After', String(Math.ceil(retryAfter / 1000)));
  }
  if (!hasHeader(headers, 'cache-control')) headers.push('Cache-Control', 'no-store');
}

/**
 * The headers of every response to the request.
 * @param timed what the total time in the `Server-Timing` header is that of.
 */
export function headersOf(
  context: ResponseContext,
  timing: ReplyExtras['timing'],
  timed: 'total' | 'first-chunk' = 'total',
): string[] {
  const { gateway, route, extraHeaders, requestId } = context;
  const headers = startHeaders(gateway, route.headers, requestId);
  if (extraHeaders.length > 0) headers.push(...extraHeaders);
  const { req, started } = context;
  if (started !== 0 && sendsTiming(gateway.settings, req)) addTiming(req, timing, started, headers, timed);
  return headers;
}

/**
 * Adds the headers that the worker set.
 * @param problem whether the body is that of a problem and not that of the worker.
 */
export function addWorkerHeaders(
  context: ReplyContext,
  extras: ReplyHeaders,
  headers: string[],
  problem = false,
): void {
  const { gateway, route, requestId } = context;
  if (extras.dropped.length > 0) {
    const fields = { requestId, event: route.operation.eventName, headers: extras.dropped };
    gateway.logger.warn(fields, 'headers of a reply are not sent: a worker cannot set them');
  }
  for (const [name, value] of extras.headers) {
    if (name === 'content-type' || (problem && BODY_HEADERS.has(name))) continue;
    for (const single of [value].flat())
      headers.push(name, name === 'location' ? withBaseUrl(single, context.baseUrl) : single);
  }
}

/** Headers that describe the body of the worker. A problem has a body of its own. */
const BODY_HEADERS: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'etag',
  'last-modified',
]);

/** Adds the mount path of the gateway, which workers do not know, to a location. */
function withBaseUrl(location: string, baseUrl: string): string {
  return baseUrl !== '' && location.startsWith('/') && !location.startsWith('//')
    ? baseUrl + location
    : location;
}

/** The first value of a header that the worker set. */
export function firstOf(extras: ReplyHeaders | undefined, name: string): string | undefined {
  const value = extras?.headers.get(name);
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * Checks that the reply is valid HTTP and matches the document.
 * @param hasBody whether the body is that of the reply; false for the head of a stream.
 */
export function checkReply(
  context: ReplyContext,
  reply: ReplyMessage,
  contentType: string,
  mismatch: RequestIssue | undefined,
  hasBody = true,
): Problem | undefined {
  const { gateway, route, requestId } = context;
  const { status } = reply;
  const fields = { requestId, event: route.operation.eventName, status };
  if (!isValid(status, contentType)) {
    gateway.logger.error({ ...fields, contentType }, 'the status or media type of a reply is not valid');
    return outcomeProblem('BAD_REPLY', 'The status or media type of the reply from the worker is not valid.');
  }
  const { check, sample } = gateway.settings.replies;
  if (check === 'off' || (sample < 1 && Math.random() >= sample)) return undefined;
  const issues = mismatch === undefined ? validateReply(route, reply, contentType, hasBody) : [mismatch];
  if (issues.length === 0) return undefined;
  gateway.logger.error({ ...fields, errors: issues }, 'a reply violates the contract');
  if (check === 'report') return undefined;
  return outcomeProblem('BAD_REPLY', 'The reply from the worker does not match the document.');
}

function isValid(status: number, contentType: string): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 599 && MEDIA_TYPE.test(contentType);
}

/**
 * Evaluates the conditions of the request against a successful reply. Computes the entity tag if
 * the operation asks for that, and adds it to the headers.
 * @param reply undefined for a stream, whose body is not known.
 */
export function evaluateConditions(
  { req, route }: ResponseContext,
  reply: ReplyMessage | undefined,
  extras: ReplyHeaders | undefined,
  headers: string[],
): ReturnType<typeof evaluate> {
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  let etag = firstOf(extras, 'etag');
  if (etag === undefined && reply !== undefined && route.operation.etag && isRead) {
    etag = etagOf(reply.body);
    headers.push('ETag', etag);
  }
  const lastModified = firstOf(extras, 'last-modified');
  if (!isRead || (etag === undefined && lastModified === undefined)) return 'proceed';
  return evaluate(req.headers, { etag, lastModified }, isRead);
}

/**
 * Sets the tag of a 304 to the one that the client sent. It must be the tag that a 200 would have
 * (RFC 9110, 15.4.5), which depends on the coding of the representation that the client holds.
 */
export function useClientTag(req: IncomingMessage, headers: string[]): void {
  changeHeader(headers, 'etag', (etag) => clientTag(req.headers['if-none-match'], etag) ?? etag);
}

/** The problem of a failed precondition. */
export function preconditionFailed(): Problem {
  return httpProblem('PRECONDITION_FAILED', 'The resource does not meet the preconditions of the request.');
}
