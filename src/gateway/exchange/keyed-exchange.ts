/**
 * An operation request that may have an idempotency key.
 *
 * With a key, the request is stored before it is dispatched, and its reply before it is sent: a
 * caller that has seen the reply gets the same one again. If the client disconnects, the request
 * goes on, so that a retry finds its reply.
 */
import { NO_BYTES, type OutgoingRequest, type ReplyMessage } from '../../core/messages/message.ts';
import {
  type Creation,
  type Hold,
  type NewRequest,
  newRequestId,
  type StoredRequest,
  type StoredResult,
} from '../../store/index.ts';
import { httpProblem, type Problem, problemOfReply } from '../common/problem.ts';
import type { KeyResult } from '../durable/key-result.ts';
import type { StoreService } from '../durable/store-service.ts';
import { NOT_RUN } from '../durable/unfinished.ts';
import {
  type CreationDecision,
  decideCreation,
  decideKey,
  isReplyOfHandler,
  runningProblem,
  settlementOf,
} from '../idempotency/decision.ts';
import { fingerprintOf } from '../idempotency/fingerprint.ts';
import { readExtras } from '../response/reply-headers.ts';
import { sendsTiming } from '../response/server-timing.ts';
import { sendStored, storableProblem, storableReply } from '../response/stored-reply.ts';
import { HookedExchange } from './hooked-exchange.ts';

const REPLAYED = ['Idempotency-Replayed', 'true'];

/** The response of a stored request, and what it says about its execution. */
interface Answer {
  readonly result: StoredResult;
  readonly code: string;
  readonly dispatched: boolean;
  /** Whether the answer is that of a handler, or of a hook in its place. */
  readonly replied: boolean;
  readonly detail?: string;
  readonly reply: ReplyMessage | undefined;
}

/** An operation request that may have an idempotency key. */
export class KeyedExchange extends HookedExchange {
  /** The idempotency key; undefined without one. */
  protected key: string | undefined;
  /** The right to change the stored request; undefined if this request is not stored. */
  private hold: Hold | undefined;
  /** Whether the outcome is stored, or the store has failed. */
  private isFinished = false;
  /** Whether the client has disconnected. */
  private isGone = false;
  private isCancelled = false;

  protected override accept(): void {
    const { 'idempotency-key': field } = this.req.headers;
    const { idempotency = 'optional' } = this.route.operation;
    if (field === undefined && idempotency === 'optional') {
      super.accept();
      return;
    }
    const decision = decideKey(idempotency, field as string | undefined);
    if (decision.action === 'reject') {
      this.fail(decision.problem);
      return;
    }
    if (decision.action === 'store') this.key = decision.key;
    super.accept();
  }

  protected override dispatch(outgoing: OutgoingRequest): void {
    const { key } = this;
    if (key === undefined || this.isDeferred) super.dispatch(outgoing);
    else void this.begin(key, outgoing).catch((error: unknown) => this.failInternally(error));
  }

  /** Whether the request is asynchronous, so that its key is stored with it. */
  protected get isDeferred(): boolean {
    return false;
  }

  protected override deliver(reply: ReplyMessage): void {
    if (this.hold === undefined) super.deliver(reply);
    else this.attempt(() => this.deliverStored(reply));
  }

  protected override respondWith(problem: Problem, reply: ReplyMessage | undefined): void {
    if (this.hold === undefined) {
      super.respondWith(problem, reply);
      return;
    }
    const { code, detail, dispatched = false } = problem;
    const replied = reply !== undefined && isReplyOfHandler(reply.code, reply.dispatched);
    const result = storableProblem(this, problem, reply);
    this.conclude(this.hold, { result, code, dispatched, replied, detail, reply });
  }

  /** A stored request goes on without its client. */
  protected override abandon(): void {
    if (!this.isInProgress) super.abandon();
    else if (!this.isGone) {
      this.isGone = true;
      this.publish(499, 'CANCELLED', this.sent);
    }
  }

  protected override leave(): void {
    if (!this.isInProgress) super.leave();
  }

  private get isInProgress(): boolean {
    return this.hold !== undefined && !this.isFinished;
  }

  /** Stores the request, and runs it unless it ran before. */
  private async begin(key: string, outgoing: OutgoingRequest): Promise<void> {
    const service = this.gateway.store;
    if (service === undefined) {
      this.fail(storeProblem('The gateway has no store; set store to use idempotency keys.'));
      return;
    }
    const started = performance.now();
    const request = this.newRequest(key, outgoing, service);
    const creation = await this.create(request, service);
    if (creation === undefined) return;
    const decision = decideCreation(creation, request.fingerprint);
    service.countKey(keyResult(decision));
    if (creation.outcome === 'created') {
      const { hold } = creation;
      const left = outgoing.timeout - (performance.now() - started);
      if (this.settled) void service.finish(hold, NOT_RUN);
      else this.run(hold, key, { ...outgoing, timeout: Math.max(1, Math.ceil(left)) }, service);
      return;
    }
    if (decision.action === 'replay') await this.replay(decision.request, service);
    else if (decision.action === 'reject') this.fail(decision.problem);
  }

  private newRequest(key: string, { body, timeout }: OutgoingRequest, service: StoreService): NewRequest {
    const { operation } = this.route;
    return {
      id: newRequestId(),
      caller: this.caller?.id ?? '',
      event: operation.eventName,
      key,
      fingerprint: fingerprintOf(body),
      state: 'running',
      idempotent: operation.idempotent,
      // No other gateway can answer the caller, and so none runs the request.
      data: NO_BYTES,
      metadata: NO_BYTES,
      timeout,
      retention: this.gateway.settings.stored.retention,
      owner: service.owner,
      lease: service.lease,
    };
  }

  /** Stores the request. Undefined if the store failed, and the caller has the problem. */
  private async create(request: NewRequest, service: StoreService): Promise<Creation | undefined> {
    try {
      return await service.create(request);
    } catch {
      this.fail(storeProblem('The gateway cannot store the request now.'));
      return undefined;
    }
  }

  private run(hold: Hold, key: string, outgoing: OutgoingRequest, service: StoreService): void {
    this.hold = hold;
    service.keep(hold, { cancel: () => this.cancel() });
    this.attempt(() => super.dispatch({ ...outgoing, extras: { ...outgoing.extras, idempotencyKey: key } }));
  }

  /** Sends the result of a former request. */
  private async replay(request: StoredRequest, service: StoreService): Promise<void> {
    let result: StoredResult | undefined;
    try {
      result = await service.use((store) => store.result(request.id));
    } catch {
      this.fail(storeProblem('The gateway cannot read the stored reply now.'));
      return;
    }
    if (this.settled) return;
    // It has expired since.
    if (result === undefined) {
      this.fail(runningProblem('The former request with this Idempotency-Key has just expired.'));
      return;
    }
    this.settled = true;
    const status = sendStored(this, result, REPLAYED);
    this.publish(status, request.code ?? '', false);
  }

  private deliverStored(reply: ReplyMessage): void {
    if (reply.code !== '') {
      this.fail(
        problemOfReply(reply, (pointer) => this.route.httpPointer(pointer)),
        reply,
      );
      return;
    }
    const result = storableReply(this, reply);
    if ('title' in result) {
      this.fail(result, reply);
      return;
    }
    this.settled = true;
    const { sent: dispatched } = this;
    this.conclude(this.hold as Hold, { result, code: '', dispatched, replied: true, reply });
  }

  private conclude(hold: Hold, answer: Answer): void {
    this.settle(hold, answer).catch((error: unknown) => {
      this.hold = undefined;
      this.settled = false;
      this.failInternally(error);
    });
  }

  /** Stores the outcome, then responds. */
  private async settle(hold: Hold, answer: Answer): Promise<void> {
    const { result, code, dispatched, detail, reply } = answer;
    const { settings, store: service } = this.gateway;
    const { state, keepResult, releaseKey } = settlementOf({
      status: result.status,
      replied: answer.replied,
      dispatched,
      cancelled: this.isCancelled,
      idempotent: this.route.operation.idempotent,
    });
    const isTooLarge = result.body.length > settings.stored.result;
    const isStored = await service?.finish(hold, {
      state,
      code: keepResult && isTooLarge ? 'RESULT_TOO_LARGE' : code,
      result: keepResult && !isTooLarge ? result : undefined,
      retention: releaseKey ? 0 : undefined,
    });
    this.isFinished = true;
    if (this.isGone) {
      this.leave();
      return;
    }
    if (isStored === false && keepResult) {
      // A retry may find another outcome, for example if this gateway ends before the store is back.
      this.hold = undefined;
      this.settled = false;
      const problem = storeProblem('The outcome of the request cannot be stored now: send it again.');
      this.fail({ ...problem, dispatched });
      return;
    }
    const isTimed = reply !== undefined && sendsTiming(settings, this.req);
    const timing = isTimed ? readExtras(reply, settings.requestIdHeader.toLowerCase())?.timing : undefined;
    const status = sendStored(this, result, [], timing);
    this.publish(status, code, dispatched, detail);
  }

  /** An operator has cancelled the request. */
  private cancel(): void {
    if (this.settled) return;
    this.isCancelled = true;
    this.workerRequest?.cancel();
    const problem = httpProblem('REQUEST_CANCELLED', 'An operator cancelled the request.');
    this.fail({ ...problem, dispatched: this.sent });
  }
}

function keyResult(decision: CreationDecision): KeyResult {
  if (decision.action === 'run') return 'run';
  if (decision.action === 'replay') return 'replayed';
  return REJECTIONS[decision.problem.code] ?? 'rejected';
}

const REJECTIONS: Readonly<Record<string, KeyResult>> = {
  IDEMPOTENCY_KEY_RUNNING: 'running',
  IDEMPOTENCY_KEY_REUSED: 'reused',
  OUTCOME_UNKNOWN: 'unknown',
};

function storeProblem(detail: string): Problem {
  return { ...httpProblem('STORE_UNAVAILABLE', detail), dispatched: false };
}
