/** The gateway's own operations on asynchronous requests: state, result and cancellation. */
import type { ReplyExtras, ReplyMessage } from '../../core/messages/message.ts';
import { isFinal, type RequestStore, type StoredRequest } from '../../store/index.ts';
import { httpProblem, type Problem } from '../common/problem.ts';
import type { RequestOperations, RequestQuery, ResultAnswer } from '../context/durable-requests.ts';
import { unknownOutcome, withoutResult } from '../idempotency/decision.ts';
import type { RequestChanges } from './changes.ts';
import { statusOf } from './status.ts';

/** Seconds until the state may have changed, for clients that poll. */
const RETRY_AFTER = '1';

/** The store, as the pages use it. */
interface StoreAccess {
  use<T>(run: (store: RequestStore) => Promise<T>): Promise<T>;
}

export class RequestPages implements RequestOperations {
  constructor(
    private readonly store: StoreAccess,
    private readonly changes: RequestChanges,
    /** Path of the requests, such as `/requests`. */
    private readonly path: string,
    /** Called when a request was cancelled before it was dispatched. */
    private readonly onCancelled: (id: string) => void,
  ) {}

  /**
   * The request, if the caller owns it. A request of a caller without authentication is shown to all
   * that know its id.
   */
  async find(id: string, caller: string): Promise<StoredRequest | undefined> {
    const request = await this.store.use((store) => store.get(id));
    return request !== undefined && (request.caller === '' || request.caller === caller)
      ? request
      : undefined;
  }

  async show(query: RequestQuery): Promise<ReplyMessage | Problem> {
    const request = await this.findEnded(query);
    return request === undefined ? notFound() : this.statusReply(request, 200, preferenceOf(query));
  }

  async result(query: RequestQuery): Promise<ResultAnswer | Problem> {
    const request = await this.findEnded(query);
    if (request === undefined) return notFound();
    const { state, code = '' } = request;
    if (!isFinal(state)) {
      return httpProblem('REQUEST_RUNNING', `The request is ${state}, and has no result yet.`, [
        'Retry-After',
        RETRY_AFTER,
      ]);
    }
    const result = await this.store.use((store) => store.result(query.id));
    if (result !== undefined) return { result, code };
    return state === 'unknown' ? unknownOutcome(request) : withoutResult(request);
  }

  /** Cancels a request down to its handler. A request that has ended is not changed. */
  async cancel({ id, caller }: RequestQuery): Promise<ReplyMessage | Problem> {
    if ((await this.find(id, caller)) === undefined) return notFound();
    const cancelled = await this.store.use((store) => store.cancel(id));
    if (cancelled === 'cancelled') this.onCancelled(id);
    const request = await this.find(id, caller);
    if (request === undefined) return notFound();
    return this.statusReply(request, isFinal(request.state) ? 200 : 202, {});
  }

  /** The reply with the state of a request. */
  statusReply(request: StoredRequest, status: number, more: Record<string, string>): ReplyMessage {
    const headers: Record<string, string> = { 'cache-control': 'no-store', ...more };
    if (!isFinal(request.state)) headers['retry-after'] = RETRY_AFTER;
    const extras: ReplyExtras = { headers };
    return {
      status,
      code: '',
      dispatched: false,
      more: false,
      contentType: 'application/json',
      extras: Buffer.from(JSON.stringify(extras)),
      body: Buffer.from(JSON.stringify(statusOf(request, this.path))),
    };
  }

  private async findEnded({ id, caller, wait, signal }: RequestQuery): Promise<StoredRequest | undefined> {
    let request = await this.find(id, caller);
    if (request === undefined || wait === undefined || isFinal(request.state)) return request;
    await this.changes.waitFor(id, wait * 1000, signal, async () => {
      request = await this.find(id, caller);
      return request === undefined || isFinal(request.state);
    });
    return request;
  }
}

/** The problem of a request that does not exist, or belongs to another caller. */
export function notFound(): Problem {
  return httpProblem('REQUEST_NOT_FOUND', 'There is no such request of this caller; it may have expired.');
}

function preferenceOf({ wait }: RequestQuery): Record<string, string> {
  return wait === undefined ? {} : { 'preference-applied': `wait=${wait}` };
}
