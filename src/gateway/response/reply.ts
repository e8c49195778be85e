/** From a worker's reply, or a problem, to the response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReplyExtras, ReplyMessage } from '../../core/messages/message.ts';
import { encodeProblem, httpProblem, outcomeProblem, type Problem } from '../common/problem.ts';
import { type GatewayContext, startHeaders } from '../context/gateway-context.ts';
import type { Route } from '../routing/route.ts';
import { evaluate } from './conditional.ts';
import { validateReply } from './contract-check.ts';
import { clientTag, etagOf } from './entity-tag.ts';
import { type ReplyHeaders, readExtras } from './reply-headers.ts';
import { addTiming, sendsTiming } from './server-timing.ts';
import { write, writeCompressed } from './writer.ts';

/** What an answer is made with. */
export interface ResponseContext {
  readonly gateway: GatewayContext;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** Path that the gateway is mounted under; empty at the root. */
  readonly baseUrl: string;
  readonly route: Route;
  /** Headers of this reply alone, names and values in turn. */
  readonly extraHeaders: readonly string[];
  /** When the request came, in ms; 0 when nobody will ask. */
  readonly started: number;
}

const PROBLEM_TYPE = 'application/problem+json';
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\t\x20-\x7e]*)?$/;

/** Answers with a worker's reply, its bytes unread. Returns the status. */
export function sendReply(context: ResponseContext, reply: ReplyMessage): number {
  const { gateway, req, route } = context;
  const extras = readExtras(reply, gateway.settings.requestIdHeader.toLowerCase());
  const contentType = reply.contentType || firstOf(extras, 'content-type') || route.defaultType(reply.status);
  const problem = checkReply(context, reply, contentType);
  if (problem !== undefined) return sendProblem(context, problem, reply);

  const headers = headersOf(context, extras?.timing);
  if (extras !== undefined) addWorkerHeaders(context, extras, headers);
  let { status } = reply;
  if (status === 200 && (extras !== undefined || route.operation.etag)) {
    const verdict = evaluateConditions(context, reply, extras, headers);
    if (verdict === 'failed') return sendProblem(context, preconditionFailed(), reply);
    if (verdict === 'not-modified') status = 304;
  }
  if (status === 304) useClientTag(req, headers);
  const { body } = reply;
  const { compression } = gateway.settings;
  const response = { status, headers, contentType, body };
  const tagged = extras !== undefined || route.operation.etag;
  const plain = compression === false || (body.length < compression.threshold && !tagged);
  return plain ? write(gateway, context, response) : writeCompressed(gateway, context, response, compression);
}

/** Answers with a problem. Returns the status. */
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

/** Answers with a problem where no operation is concerned. */
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

/** Headers that a problem brings along. */
function addProblemHeaders(problem: Problem, retryAfter: number, headers: string[]): void {
  if (problem.headers !== undefined) headers.push(...problem.headers);
  if (problem.status === 503 && !hasName(headers, 'retry-after')) {
    headers.push('Retry-After', String(Math.ceil(retryAfter / 1000)));
  }
  if (!hasName(headers, 'cache-control')) headers.push('Cache-Control', 'no-store');
}

function hasName(headers: readonly string[], name: string): boolean {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === name) return true;
  return false;
}

/** Headers of every reply to this request. */
function headersOf(context: ResponseContext, timing: ReplyExtras['timing']): string[] {
  const { gateway, route, extraHeaders, requestId } = context;
  const headers = startHeaders(gateway, route.headers, requestId);
  if (extraHeaders.length > 0) headers.push(...extraHeaders);
  const { req, started } = context;
  if (started !== 0 && sendsTiming(gateway.settings, req)) addTiming(req, timing, started, headers);
  return headers;
}

/** Adds what the worker set; names in a problem keep those that speak of the connection between body and type. */
function addWorkerHeaders(
  context: ResponseContext,
  extras: ReplyHeaders,
  headers: string[],
  problem = false,
): void {
  const { gateway, route, requestId } = context;
  if (extras.dropped.length > 0) {
    const fields = { requestId, event: route.operation.eventName, headers: extras.dropped };
    gateway.logger.warn(fields, 'headers of a reply were left out: a worker cannot set them');
  }
  for (const [name, value] of extras.headers) {
    if (name === 'content-type' || (problem && BODY_HEADERS.has(name))) continue;
    for (const single of [value].flat())
      headers.push(name, name === 'location' ? withBaseUrl(single, context.baseUrl) : single);
  }
}

/** Headers that describe the body of a worker, which a problem does not have. */
const BODY_HEADERS: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'etag',
  'last-modified',
]);

/** A worker knows nothing of the path that the gateway is mounted under. */
function withBaseUrl(location: string, baseUrl: string): string {
  return baseUrl !== '' && location.startsWith('/') && !location.startsWith('//')
    ? baseUrl + location
    : location;
}

function firstOf(extras: ReplyHeaders | undefined, name: string): string | undefined {
  const value = extras?.headers.get(name);
  return typeof value === 'string' ? value : value?.[0];
}

/** Whether the reply can be answered, and keeps to the document. */
function checkReply(context: ResponseContext, reply: ReplyMessage, contentType: string): Problem | undefined {
  const { gateway, route, requestId } = context;
  const { status } = reply;
  const fields = { requestId, event: route.operation.eventName, status };
  if (!Number.isInteger(status) || status < 200 || status > 599 || !MEDIA_TYPE.test(contentType)) {
    gateway.logger.error({ ...fields, contentType }, 'a reply has no valid status or media type');
    return outcomeProblem('BAD_REPLY', 'The reply of the worker has no valid status or media type.');
  }
  const { check, sample } = gateway.settings.replies;
  if (check === 'off' || (sample < 1 && Math.random() >= sample)) return undefined;
  const faults = validateReply(route, reply, contentType);
  if (faults.length === 0) return undefined;
  gateway.logger.error({ ...fields, faults }, 'A REPLY BREAKS THE CONTRACT');
  if (check === 'report') return undefined;
  return outcomeProblem('BAD_REPLY', 'The reply of the worker does not match the document.');
}

/** Holds a successful reply against the conditions of the request; adds the entity tag that it computes. */
function evaluateConditions(
  { req, route }: ResponseContext,
  reply: ReplyMessage,
  extras: ReplyHeaders | undefined,
  headers: string[],
): ReturnType<typeof evaluate> {
  const reading = req.method === 'GET' || req.method === 'HEAD';
  let etag = firstOf(extras, 'etag');
  if (etag === undefined && route.operation.etag && reading) {
    etag = etagOf(reply.body);
    headers.push('ETag', etag);
  }
  const lastModified = firstOf(extras, 'last-modified');
  if (!reading || (etag === undefined && lastModified === undefined)) return 'go';
  return evaluate(req.headers, { etag, lastModified }, reading);
}

/** A 304 has the tag that the 200 would have (RFC 9110, 15.4.5): that of the representation that the client holds. */
function useClientTag(req: IncomingMessage, headers: string[]): void {
  for (let index = 0; index < headers.length; index += 2) {
    const etag = headers[index + 1];
    if (etag === undefined || headers[index]?.toLowerCase() !== 'etag') continue;
    headers[index + 1] = clientTag(req.headers['if-none-match'], etag) ?? etag;
  }
}

/** The state that the request asks for is not there. */
export function preconditionFailed(): Problem {
  return httpProblem('PRECONDITION_FAILED', 'The resource is not in the state that the request asks for.');
}
