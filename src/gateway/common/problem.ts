/** The errors of the gateway, as problem details (RFC 9457). */
import { parseExact, stringifyExact } from '../../core/json/exact-json.ts';
import { type ErrorData, type ReplyMessage } from '../../core/messages/message.ts';
import { isOutcomeCode, outcomeOf } from '../../core/messages/outcome.ts';
import { STORED_PROBLEMS } from './stored-problems.ts';

/** An invalid value in a request. */
export interface RequestIssue {
  /**
   * JSON Pointer to the value: `/query/limit`, `/body/title`, `/path/id`, `/header/x-key` or
   * `/cookie/session`.
   */
  readonly pointer: string;
  /** What is wrong with the value and what is valid, such as `must be an integer`. */
  readonly detail: string;
}

/**
 * The errors that exist only in HTTP, by code: status, title and remedy. All other codes are
 * outcome codes of the framework.
 */
export const HTTP_PROBLEMS = {
  NOT_FOUND: {
    status: 404,
    title: 'No such path',
    remedy: 'Check the path; /openapi.json lists all paths.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'Method not allowed',
    remedy: 'Use one of the methods in the header Allow.',
  },
  NOT_ACCEPTABLE: {
    status: 406,
    title: 'No acceptable media type',
    remedy: 'Send an Accept header with a media type that the document defines for the reply.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive',
    remedy: 'Send the request faster, or increase clientTimeouts for slow callers.',
  },
  PRECONDITION_FAILED: {
    status: 412,
    title: 'Precondition failed',
    remedy: 'Fetch the resource again and check whether the change still applies.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send a smaller body, or raise limits.body.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'Unsupported media type or encoding of the body',
    remedy: 'Send a media type that the document defines for the body, such as JSON in UTF-8.',
  },
  EXPECTATION_FAILED: {
    status: 417,
    title: 'The expectation cannot be met',
    remedy: 'Remove the header Expect.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait for the number of seconds in Retry-After.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The headers are too large',
    remedy: 'Send fewer or shorter headers; cookies are a common cause.',
  },
  MALFORMED_HTTP: {
    status: 400,
    title: 'Malformed HTTP request',
    remedy: 'Use HTTP/1.1 on this port; terminate TLS at a proxy in front of it.',
  },
  NOT_IMPLEMENTED: {
    status: 501,
    title: 'Unknown method or transfer encoding',
    remedy: 'Use a method of RFC 9110, and no transfer encoding other than chunked.',
  },
  VERSION_NOT_SUPPORTED: {
    status: 505,
    title: 'HTTP version not supported',
    remedy: 'Use HTTP/1.1 on this port.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'Credentials are missing or invalid',
    remedy: 'Send the credentials that WWW-Authenticate describes; a token may have expired.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'The credentials do not permit this operation',
    remedy: 'Request the scopes that the document requires for the operation.',
  },
  AUTH_UNAVAILABLE: {
    status: 503,
    title: 'Credentials cannot be verified now',
    remedy:
      'Try again after Retry-After; the gateway cannot fetch the signing keys, or has too many passwords to check.',
  },
  STARTING: {
    status: 503,
    title: 'The gateway is starting',
    remedy: 'Try again after Retry-After; the gateway is waiting for the contracts of its routers.',
  },
  ...STORED_PROBLEMS,
  HOOK_ERROR: {
    status: 500,
    title: 'A hook of the gateway failed',
    remedy: 'Check the log of the gateway for the requestId, and fix the hook.',
  },
  INTERNAL_ERROR: {
    status: 500,
    title: 'Internal error of the gateway',
    remedy: 'Check the log of the gateway for the requestId, and report the error.',
  },
} as const satisfies Record<string, { status: number; title: string; remedy: string }>;

/** A code of {@link HTTP_PROBLEMS}. */
export type HttpProblemCode = keyof typeof HTTP_PROBLEMS;

/** An error response. */
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly dispatched?: boolean;
  readonly errors?: readonly RequestIssue[];
  /** Details that the worker passed to the caller. */
  readonly details?: unknown;
  /** Response headers, names and values in turn. */
  readonly headers?: readonly string[];
}

/** Maximum number of issues in one response. */
const MAX_ISSUES = 100;

/** Creates the problem of an error that exists only in HTTP. */
export function httpProblem(code: HttpProblemCode, detail: string, headers?: readonly string[]): Problem {
  const { status, title } = HTTP_PROBLEMS[code];
  return { code, status, title, detail, headers };
}

/** Creates the problem of an outcome code. */
export function outcomeProblem(code: Parameters<typeof outcomeOf>[0], detail: string): Problem {
  const { status, title, dispatched } = outcomeOf(code);
  return { code, status, title, detail, dispatched };
}

/** Creates the problem of a request that violates the document. */
export function invalidRequest(issues: readonly RequestIssue[]): Problem {
  const first = issues[0];
  const toPointer = first === undefined ? '' : ` ${first.pointer} ${first.detail}`;
  const more = issues.length > 1 ? `, and ${issues.length - 1} more` : '';
  return {
    ...outcomeProblem('INVALID_REQUEST', `The request does not match the document:${toPointer}${more}.`),
    errors: issues.slice(0, MAX_ISSUES),
  };
}

/** Codes whose message may contain internals of a worker or router. Callers get a general text. */
const HIDDEN: ReadonlySet<string> = new Set(['HANDLER_ERROR', 'BAD_REPLY', 'NOT_PERMITTED']);

/**
 * Converts a failed reply to a problem.
 * @param toPointer converts a pointer into event data to a pointer into the HTTP request.
 */
export function problemOfReply(reply: ReplyMessage, toPointer: (pointer: string) => string): Problem {
  const { code, dispatched } = reply;
  const known = isOutcomeCode(code) ? outcomeOf(code) : undefined;
  const status = reply.status >= 400 && reply.status <= 599 ? reply.status : (known?.status ?? 500);
  const error = HIDDEN.has(code) ? undefined : readError(reply.body);
  const title = known?.title ?? code;
  const detail = error?.message ?? known?.meaning ?? title;
  const errors = code === 'INVALID_REQUEST' ? issuesOf(error?.details, toPointer) : undefined;
  return { code, status, title, detail, dispatched, errors, details: errors ? undefined : error?.details };
}

function readError(body: Buffer): ErrorData['error'] | undefined {
  try {
    const data = parseExact(body.toString(), 'spelling') as Partial<ErrorData> | null;
    return typeof data?.error?.message === 'string' ? data.error : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The issues that a worker found, from `details.errors`: pointers into the event data and messages.
 */
function issuesOf(details: unknown, toPointer: (pointer: string) => string): RequestIssue[] | undefined {
  const list = (details as { errors?: unknown } | null | undefined)?.errors;
  if (!Array.isArray(list)) return undefined;
  const issues: RequestIssue[] = [];
  for (const item of list.slice(0, MAX_ISSUES) as ({ pointer?: unknown; message?: unknown } | null)[]) {
    if (typeof item?.pointer !== 'string' || typeof item.message !== 'string') continue;
    issues.push({ pointer: toPointer(item.pointer), detail: item.message });
  }
  return issues.length === 0 ? undefined : issues;
}

/** Encodes a problem as `application/problem+json`. */
export function encodeProblem(problem: Problem, typeBase: string, requestId: string): Buffer {
  const { code, status, title, detail, dispatched, errors, details } = problem;
  const type = typeBase + encodeURIComponent(code);
  return Buffer.from(
    stringifyExact({ type, title, status, detail, code, dispatched, requestId, errors, details }),
  );
}
