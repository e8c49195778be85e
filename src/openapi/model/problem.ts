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
      description: 'Kind of problem; about:blank says no more than title.',
    },
    title: { type: 'string', description: 'Short summary of the kind of problem.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What happened this time.' },
    code: { type: 'string', description: 'Stable code: of the error catalogue, or the worker’s own.' },
    dispatched: { type: 'boolean', description: 'Whether a worker was given the request.' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      description: 'Every fault of the request.',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: {
            type: 'string',
            description: 'Place of the fault, such as /query/limit or /body/title.',
          },
          detail: { type: 'string', description: 'What is wrong, and what would be right.' },
        },
      },
    },
    details: { description: 'What else the worker tells.' },
  },
};

type When = 'always' | 'body' | 'security' | 'etag';

const REPLIES: readonly (readonly [status: string, when: When, description: string])[] = [
  ['400', 'always', 'The request breaks the contract; every fault is listed.'],
  ['401', 'security', 'Who is calling is not known.'],
  ['403', 'security', 'The caller may not do this.'],
  ['406', 'always', 'The reply cannot be given in a media type that the request accepts.'],
  ['408', 'body', 'The request body came too slowly.'],
  ['412', 'etag', 'A condition of the request does not hold.'],
  ['413', 'body', 'The request body is too large.'],
  ['415', 'body', 'The request body has a media type or encoding that is not taken.'],
  ['429', 'always', 'Too many requests; Retry-After says when to try again.'],
  ['500', 'always', 'The worker failed.'],
  ['502', 'always', 'The worker was lost, or its reply could not be used.'],
  [
    '503',
    'always',
    'No worker or router is free; Retry-After says when to try again. The request was not run.',
  ],
  ['504', 'always', 'Time ran out before the worker replied.'],
];

/** Returns the components that the error responses need. */
export function problemComponents(): Record<string, JsonObject> {
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
export function withProblems(
  operation: JsonObject,
  follow: (response: Json) => Json | undefined,
): JsonObject {
  const told = member(operation, 'responses');
  const responses: JsonObject = isObject(told) ? { ...told } : {};
  for (const [status, when] of REPLIES) {
    if (!applies(when, operation)) continue;
    responses[status] ??= { $ref: `#/components/responses/${responseName(status)}` };
  }
  for (const [status, own] of Object.entries(responses)) {
    if (/^[45]/.test(status)) responses[status] = withProblemType(own, follow);
  }
  return responses;
}

function withProblemType(own: Json, follow: (response: Json) => Json | undefined): Json {
  const followed = follow(own);
  if (!isObject(followed)) return own;
  const content = member(followed, 'content');
  if (isObject(content) && Object.hasOwn(content, PROBLEM_MEDIA_TYPE)) return own;
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
    case 'security': {
      const security = member(operation, 'security');
      return Array.isArray(security) && security.length > 0;
    }
  }
}
