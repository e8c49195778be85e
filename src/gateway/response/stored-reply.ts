/**
 * Replies and problems that are stored, and the responses made from them.
 *
 * What is stored is the same for every caller: status, headers of the worker, and body. The headers
 * of the gateway, such as the request id, and the compression belong to each response.
 */
import type { ReplyExtras, ReplyMessage } from '../../core/messages/message.ts';
import type { StoredResult } from '../../store/index.ts';
import { encodeProblem, type Problem } from '../common/problem.ts';
import { hasHeader, headerValue } from './header-list.ts';
import {
  addProblemHeaders,
  addWorkerHeaders,
  bodyOf,
  checkReply,
  firstOf,
  headersOf,
  PROBLEM_TYPE,
  type ReplyContext,
  type ResponseContext,
} from './reply.ts';
import { readExtras } from './reply-headers.ts';
import { type Response, write, writeCompressed } from './writer.ts';

const CONTENT_TYPE = 'Content-Type';

/**
 * The reply of a worker, as it is stored.
 * @returns the problem to respond with if the reply cannot be sent.
 */
export function storableReply(context: ReplyContext, given: ReplyMessage): StoredResult | Problem {
  const { gateway, route } = context;
  const extras = readExtras(given, gateway.settings.requestIdHeader.toLowerCase());
  const { status } = given;
  const declared = given.contentType || firstOf(extras, 'content-type') || route.replies.defaultType(status);
  const { contentType, body, mismatch } = bodyOf(given, declared);
  const reply = body === given.body ? given : { ...given, body };
  const problem = checkReply(context, reply, contentType, mismatch);
  if (problem !== undefined) return problem;
  const headers: string[] = [];
  if (extras !== undefined) addWorkerHeaders(context, extras, headers);
  headers.push(CONTENT_TYPE, contentType);
  return { status, headers, body };
}

/**
 * A problem, as it is stored.
 * @param reply the reply that the problem comes from.
 */
export function storableProblem(
  context: ReplyContext,
  problem: Problem,
  reply: ReplyMessage | undefined,
): StoredResult {
  const { gateway, requestId } = context;
  const { problemType, requestIdHeader, retryAfter } = gateway.settings;
  const headers: string[] = [];
  if (reply?.code === problem.code) {
    const extras = readExtras(reply, requestIdHeader.toLowerCase());
    if (extras !== undefined) addWorkerHeaders(context, extras, headers, true);
  }
  addProblemHeaders(problem, retryAfter, headers);
  headers.push(CONTENT_TYPE, PROBLEM_TYPE);
  return { status: problem.status, headers, body: encodeProblem(problem, problemType, requestId) };
}

/**
 * Sends a stored result.
 * @param more further headers, names and values in turn.
 * @param timing times that the worker measured.
 * @returns the status of the response.
 */
export function sendStored(
  context: ResponseContext,
  { status, headers: stored, body }: StoredResult,
  more: readonly string[] = [],
  timing?: ReplyExtras['timing'],
): number {
  const { gateway } = context;
  const contentType = headerValue(stored, CONTENT_TYPE) ?? 'application/json';
  const headers = headersOf(context, timing);
  for (let index = 0; index < stored.length; index += 2) {
    const [name = '', value = ''] = stored.slice(index, index + 2);
    if (name !== CONTENT_TYPE) headers.push(name, value);
  }
  headers.push(...more);
  const response: Response = { status, headers, contentType, body };
  const { compression } = gateway.settings;
  const plain = compression === false || (body.length < compression.threshold && !hasHeader(stored, 'etag'));
  return plain ? write(gateway, context, response) : writeCompressed(gateway, context, response, compression);
}
