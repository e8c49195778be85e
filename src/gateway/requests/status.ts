/** The state of an asynchronous request, as its caller sees it. */
import { isFinal, type StoredRequest } from '../../store/index.ts';

/** The JSON of `GET /requests/{id}`. */
export interface RequestStatus {
  readonly id: string;
  readonly state: StoredRequest['state'];
  readonly createdAt: string;
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** When state and result are deleted. */
  readonly expiresAt?: string | undefined;
  /** The last progress that the handler reported. */
  readonly progress?: unknown;
  /** Whether the caller asked to cancel it, and it has not ended yet. */
  readonly cancelling?: true | undefined;
  /** Status and error code of the result, once there is one. */
  readonly outcome?: { readonly status: number; readonly code?: string | undefined } | undefined;
  readonly links: { readonly self: string; readonly result: string; readonly events: string };
}

/**
 * Returns the state of a request.
 * @param path path of asynchronous requests, such as `/requests`.
 */
export function statusOf(request: StoredRequest, path: string): RequestStatus {
  const { id, state, status, code, progress } = request;
  const self = `${path}/${id}`;
  return {
    id,
    state,
    createdAt: timeOf(request.createdAt),
    startedAt: request.startedAt === undefined ? undefined : timeOf(request.startedAt),
    finishedAt: request.finishedAt === undefined ? undefined : timeOf(request.finishedAt),
    expiresAt: request.expiresAt === undefined ? undefined : timeOf(request.expiresAt),
    progress: progress === undefined ? undefined : JSON.parse(progress),
    cancelling: request.cancelRequested && !isFinal(state) ? true : undefined,
    outcome: status === undefined ? undefined : { status, code: code === '' ? undefined : code },
    links: { self, result: `${self}/result`, events: `${self}/events` },
  };
}

/** The schema of a {@link RequestStatus}. */
export const STATUS_SCHEMA = {
  type: 'object',
  required: ['id', 'state', 'createdAt', 'links'],
  properties: {
    id: { type: 'string' },
    state: {
      type: 'string',
      enum: ['accepted', 'running', 'succeeded', 'failed', 'cancelled', 'unknown'],
      description:
        'accepted: stored, not dispatched yet. running: it may have been dispatched. succeeded, failed: ' +
        'it has a result. cancelled: the caller cancelled it. unknown: it was dispatched, its reply was ' +
        'lost, and it is not idempotent, so that it may have run or not.',
    },
    createdAt: { type: 'string', format: 'date-time' },
    startedAt: { type: 'string', format: 'date-time' },
    finishedAt: { type: 'string', format: 'date-time' },
    expiresAt: { type: 'string', format: 'date-time', description: 'When state and result are deleted.' },
    progress: { description: 'The last progress that the handler reported.' },
    cancelling: { const: true, description: 'The caller asked to cancel it, and it has not ended yet.' },
    outcome: {
      type: 'object',
      description: 'Status and error code of the result.',
      required: ['status'],
      properties: { status: { type: 'integer' }, code: { type: 'string' } },
    },
    links: {
      type: 'object',
      required: ['self', 'result', 'events'],
      properties: {
        self: { type: 'string', format: 'uri-reference' },
        result: { type: 'string', format: 'uri-reference' },
        events: { type: 'string', format: 'uri-reference' },
      },
    },
  },
} as const;

function timeOf(wall: number): string {
  return new Date(wall).toISOString();
}
