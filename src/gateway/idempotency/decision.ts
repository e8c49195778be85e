/**
 * idempotency: `Idempotency-Key`. The key, the fingerprint of the data, and what follows from the
 * state of the store.
 *
 * What the gateway does with a request that may have an idempotency key. Pure functions: the
 * exchange sends, stores and answers.
 *
 * 1. {@link decideKey}, before the request is stored.
 * 2. {@link decideCreation}, with the answer of the store. Only `run` dispatches the request.
 * 3. {@link settlementOf}, with the reply or failure: what is stored under the key.
 */
import type { Creation, FinalState, StoredRequest } from '../../store/index.ts';
import { type HttpProblemCode, httpProblem, type Problem } from '../common/problem.ts';
import { readKey } from './key.ts';

/** `x-idempotency` of an operation. */
export type IdempotencyRule = 'optional' | 'required';

/** An answer without running the request. */
export interface Rejection {
  readonly action: 'reject';
  readonly problem: Problem;
}

export type KeyDecision =
  /** The request has no key: it is not stored. */
  { readonly action: 'plain' } | { readonly action: 'store'; readonly key: string } | Rejection;

export type CreationDecision =
  | { readonly action: 'run' }
  /** Send the stored result of this request with `Idempotency-Replayed: true`. */
  | { readonly action: 'replay'; readonly request: StoredRequest }
  | Rejection;

/** Seconds until a retry makes sense while the first request is running. */
const RUNNING_RETRY = 1;
/** Seconds until requests may have expired. */
const FULL_RETRY = 60;

/** Decides by the header field alone. */
export function decideKey(rule: IdempotencyRule, value: string | undefined): KeyDecision {
  const field = readKey(value);
  if (field.kind === 'key') return { action: 'store', key: field.key };
  if (field.kind === 'invalid')
    return reject('IDEMPOTENCY_KEY_INVALID', `The header Idempotency-Key ${field.detail}.`);
  if (rule === 'optional') return { action: 'plain' };
  return reject('IDEMPOTENCY_KEY_MISSING', 'The operation requires the header Idempotency-Key.');
}

/** Decides by the answer of the store. */
export function decideCreation(creation: Creation, fingerprint: Buffer): CreationDecision {
  switch (creation.outcome) {
    case 'created':
      return { action: 'run' };
    case 'full':
      return creation.limit.endsWith('PerCaller')
        ? reject('STORE_QUOTA', `The caller has reached the limit stored.${creation.limit}.`, FULL_RETRY)
        : reject('STORE_FULL', `The gateway has reached the limit stored.${creation.limit}.`, FULL_RETRY);
    case 'existing':
      return decideExisting(creation.request, fingerprint);
  }
}

function decideExisting(request: StoredRequest, fingerprint: Buffer): CreationDecision {
  // Before the state: other data never gets the result, and need not wait for it.
  if (!request.fingerprint.equals(fingerprint)) {
    const detail = 'A request with other data was sent with this Idempotency-Key.';
    return reject('IDEMPOTENCY_KEY_REUSED', detail);
  }
  switch (request.state) {
    case 'accepted':
    case 'running': {
      const problem = runningProblem('The first request with this Idempotency-Key has not ended.');
      return { action: 'reject', problem };
    }
    case 'unknown':
      return { action: 'reject', problem: unknownOutcome(request) };
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return request.status === undefined
        ? { action: 'reject', problem: withoutResult(request) }
        : { action: 'replay', request };
  }
}

/** The problem of a request whose key cannot be used at this moment. */
export function runningProblem(detail: string): Problem {
  return reject('IDEMPOTENCY_KEY_RUNNING', detail, RUNNING_RETRY).problem;
}

/** The problem of a request that may have run. */
export function unknownOutcome({ code }: Pick<StoredRequest, 'code'>): Problem {
  const reason = code === undefined || code === '' ? '' : ` (${code})`;
  const detail =
    `The request was dispatched to a worker, and its reply is lost${reason}. It may have run, and the gateway does ` +
    'not run it again. Check whether it took effect; if it did not, send it with a new key.';
  return { ...httpProblem('OUTCOME_UNKNOWN', detail), dispatched: true };
}

/** The problem of a request that ended, and whose result is not stored. */
export function withoutResult({ state, code = '' }: Pick<StoredRequest, 'state' | 'code'>): Problem {
  if (state === 'cancelled') return httpProblem('REQUEST_CANCELLED', 'The request was cancelled.');
  if (code === 'RESULT_TOO_LARGE') {
    return {
      ...httpProblem(
        'RESULT_TOO_LARGE',
        'The request has run, and its reply exceeds the limit stored.result.',
      ),
      dispatched: true,
    };
  }
  return runningProblem(`The former request did not run (${code}), and its key is about to be released.`);
}

/** How the execution of a request ended. */
export interface Execution {
  /** The status that the gateway answers with. */
  readonly status: number;
  /** Whether the answer is the reply of a handler, and not a failure on the way. */
  readonly replied: boolean;
  /** Whether the request was dispatched; undefined if that cannot be known. */
  readonly dispatched: boolean | undefined;
  /** Whether the caller or an operator cancelled it. */
  readonly cancelled: boolean;
  /** Whether the event is idempotent. */
  readonly idempotent: boolean;
}

/** What is stored about the end of an execution. */
export interface Settlement {
  readonly state: FinalState;
  /** Whether the answer is stored, so that retries get it. */
  readonly keepResult: boolean;
  /** Whether the key may be used again at once, because a retry cannot run the request twice. */
  readonly releaseKey: boolean;
}

/** A handler that replied has run: its answer counts, also if it is an error. */
export function settlementOf(execution: Execution): Settlement {
  const { status, replied, dispatched, cancelled, idempotent } = execution;
  if (replied) {
    return { state: status < 400 ? 'succeeded' : 'failed', keepResult: true, releaseKey: false };
  }
  if (dispatched === false) {
    return { state: cancelled ? 'cancelled' : 'failed', keepResult: false, releaseKey: true };
  }
  if (cancelled) return { state: 'cancelled', keepResult: false, releaseKey: idempotent };
  if (idempotent) return { state: 'failed', keepResult: false, releaseKey: true };
  return { state: 'unknown', keepResult: false, releaseKey: false };
}

/** Codes of replies that do not come from a handler: it may still run, or it has not begun. */
const LOST: ReadonlySet<string> = new Set(['TIMEOUT', 'WORKER_LOST', 'CANCELLED']);

/** Whether the answer to a request comes from its handler. */
export function isReplyOfHandler(code: string, dispatched: boolean): boolean {
  return dispatched && !LOST.has(code);
}

function reject(code: HttpProblemCode, detail: string, seconds?: number): Rejection {
  const headers = seconds === undefined ? undefined : ['Retry-After', String(seconds)];
  return { action: 'reject', problem: { ...httpProblem(code, detail, headers), dispatched: false } };
}
