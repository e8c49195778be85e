/** The error responses of the gateway itself, as the served document lists them (RFC 9457). */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';

/** Media type of all error responses of the gateway. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const SCHEMA = 'ProblemDetails';

/** The schema of all error responses. */
const PROBLEM_DETAILS: JsonObject = {
  type: 'object',
  description: 'What went wrong, as problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: {
      type: 'string',
      format: 'uri-reference',
      description: 'URI reference that identifies the kind of problem.',
    },
    title: { type: 'string', description: 'Short summary of the kind of problem.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status.' },
    detail: { type: 'string', description: 'Explanation of this occurrence of the problem.' },
    code: { type: 'string', description: 'Stable error code, from the error catalogue or from the worker.' },
    dispatched: { type: 'boolean', description: 'Whether the request was dispatched to a worker.' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      description: 'All problems found in the request.',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: {
            type: 'string',
            description: 'JSON Pointer to the invalid value, such as /query/limit or /body/title.',
          },
          detail: { type: 'string', description: 'What is wrong with the value and what is valid.' },
        },
      },
    },
    details: { description: 'Further details from the worker.' },
  },
};

type When = 'always' | 'body' | 'security' | 'etag' | 'keyed';

const REPLIES: readonly (readonly [status: string, when: When, description: string])[] = [
  ['400', 'always', 'The request does not conform to this document; errors lists each problem.'],
  ['401', 'security', 'Credentials are missing or invalid.'],
  ['403', 'security', 'The credentials do not permit this operation.'],
  ['406', 'always', 'The request accepts no media type of the reply.'],
  ['408', 'body', 'The request body arrived too slowly.'],
  ['409', 'keyed', 'The request with this Idempotency-Key is still running; try again after Retry-After.'],
  [
    '410',
    'keyed',
    'The request with this Idempotency-Key has run, and its reply was too large to be stored.',
  ],
  ['412', 'etag', 'A precondition of the request is not met.'],
  ['413', 'body', 'The request body is too large.'],
  ['415', 'body', 'The media type or encoding of the request body is not supported.'],
  ['422', 'keyed', 'The Idempotency-Key belongs to a request with other data.'],
  ['429', 'always', 'Too many requests; try again after Retry-After.'],
  ['500', 'always', 'The worker failed.'],
  ['502', 'always', 'The worker was lost, or its reply is not valid.'],
  [
    '503',
    'always',
    'No worker or router is available, and the request did not run; try again after Retry-After.',
  ],
  ['504', 'always', 'The request timed out before the worker replied.'],
];

/** Returns the components that the error responses need. */
export function errorResponseComponents(): Record<string, JsonObject> {
  const responses: JsonObject = {};
  for (const [status, , description] of REPLIES) {
    responses[responseName(status)] = { description, content: { [PROBLEM_MEDIA_TYPE]: mediaType() } };
  }
  return { schemas: { [SCHEMA]: PROBLEM_DETAILS }, responses };
}

/**
 * Returns the responses of an operation with the error responses of the gateway. Statuses that the
 * operation does not define are added. Each error response also gets the media type of problem
 * details, because the gateway converts errors of workers to problem details.
 */
export function withErrorResponses(
  operation: JsonObject,
  follow: (response: Json) => Json | undefined,
): JsonObject {
  const declared = member(operation, 'responses');
  const responses: JsonObject = isObject(declared) ? { ...declared } : {};
  for (const [status, when] of REPLIES) {
    if (!applies(when, operation)) continue;
    responses[status] ??= { $ref: `#/components/responses/${responseName(status)}` };
  }
  for (const [status, response] of Object.entries(responses)) {
    if (/^[45]/.test(status)) responses[status] = withProblemType(response, follow);
  }
  return responses;
}

function withProblemType(response: Json, follow: (response: Json) => Json | undefined): Json {
  const followed = follow(response);
  if (!isObject(followed)) return response;
  const content = member(followed, 'content');
  if (isObject(content) && Object.hasOwn(content, PROBLEM_MEDIA_TYPE)) return response;
  return {
    ...followed,
    content: { ...(isObject(content) ? content : {}), [PROBLEM_MEDIA_TYPE]: mediaType() },
  };
}

function responseName(status: string): string {
  return `Problem${status}`;
}

function mediaType(): JsonObject {
  return { schema: { $ref: `#/components/schemas/${SCHEMA}` } };
}

function applies(when: When, operation: JsonObject): boolean {
  switch (when) {
    case 'always':
      return true;
    case 'body':
      return member(operation, 'requestBody') !== undefined;
    case 'etag':
      return member(operation, 'x-etag') === true;
    case 'keyed':
      return member(operation, 'x-idempotency') !== undefined;
    case 'security': {
      const security = member(operation, 'security');
      return Array.isArray(security) && security.length > 0;
    }
  }
}
