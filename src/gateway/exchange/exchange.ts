/**
 * One request for an operation, from its headers to the last byte of the reply.
 *
 * admitted (limits, who calls) → read (body) → bound (event data) → sent (requester) → answered
 *
 * What needs no waiting is done in one turn of the event loop. It ends in exactly one of: a reply, a problem, or the
 * client going away, which cancels the request down to the worker.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { toError } from '../../core/messages/errors.ts';
import {
  type Caller,
  type InFlight,
  type ReplyMessage,
  type RequestExtras,
} from '../../core/messages/message.ts';
import type { TraceContext, TracedSpan, Tracing } from '../../core/observability/tracing.ts';
import type { BoundRequest } from '../binding/binder.ts';
import { decodeBody } from '../binding/coding.ts';
import { bodyFromMiddleware } from '../binding/middleware-body.ts';
import { accepts, FORM_TYPE, isFormType } from '../common/media-type.ts';
import {
  httpProblem,
  invalidRequest,
  outcomeProblem,
  type Problem,
  problemOfReply,
} from '../common/problem.ts';
import { traceContext } from '../common/request-id.ts';
import { clientOf, hasObservers, publishAnswer } from '../context/access-log.ts';
import type { ActiveExchange, GatewayContext } from '../context/gateway-context.ts';
import { isConditional } from '../response/conditional.ts';
import { hasTags, withPlainTags } from '../response/entity-tag.ts';
import { type ResponseContext, sendProblem, sendReply } from '../response/reply.ts';
import { maxWaitOf, needsStartTime, sendsTiming } from '../response/server-timing.ts';
import type { Route } from '../routing/route.ts';
import type { Match, PathEntry } from '../routing/route-table.ts';
import { onDisconnect } from './client-disconnect.ts';
import { type ConditionalExchange, checkPreconditions } from './preconditions.ts';

export class Exchange implements ActiveExchange, ResponseContext, ConditionalExchange {
  /** Headers that this request's reply has beyond those of its route, names and values in turn. */
  readonly extraHeaders: string[];
  before: ActiveExchange | undefined = undefined;
  after: ActiveExchange | undefined = undefined;
  readonly started: number;
  private workerRequest: InFlight | undefined;
  private caller: Caller | undefined;
  private settled = false;
  private stopWatching: (() => void) | undefined;
  /** Where somebody traces. */
  private span: TracedSpan | undefined;

  constructor(
    readonly gateway: GatewayContext,
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    readonly requestId: string,
    readonly baseUrl: string,
    readonly entry: PathEntry,
    readonly route: Route,
    private readonly match: Match,
  ) {
    this.extraHeaders = gateway.cors === undefined ? [] : gateway.cors.headersFor(req.headers);
    this.started = needsStartTime(gateway, req) ? performance.now() : 0;
  }

  get segments(): Match['segments'] {
    return this.match.segments;
  }

  get query(): string {
    return this.match.query;
  }

  /** As the worker knows them: with its own entity tags. */
  get headers(): IncomingHttpHeaders {
    const { headers } = this.req;
    return this.gateway.settings.compression === false || !hasTags(headers)
      ? headers
      : withPlainTags(headers);
  }

  /** Takes the request in. */
  start(): void {
    const { gateway } = this;
    if (gateway.tracing !== undefined) this.span = this.beginSpan(gateway.tracing);
    if (gateway.closed) this.fail(outcomeProblem('SHUTTING_DOWN', 'The gateway is shutting down.'));
    else if (gateway.exchanges.length >= gateway.settings.limits.inFlight) {
      this.fail(
        outcomeProblem('BUSY', `The gateway already has ${gateway.exchanges.length} requests in flight.`),
      );
    } else {
      gateway.exchanges.push(this);
      this.stopWatching = onDisconnect(this.res, this.req.socket, this.onClose);
      if (this.route.guard !== undefined || gateway.rateLimits !== undefined) void this.admit();
      else this.attempt(() => this.accept());
    }
  }

  /** Ends the request from outside: the gateway closes and waits no longer. */
  abort(): void {
    this.workerRequest?.cancel();
    this.fail(outcomeProblem('SHUTTING_DOWN', 'The gateway was closed before the reply came.'));
  }

  /** The client has the reply, or has gone away. */
  private readonly onClose = (): void => {
    if (!this.settled) {
      this.settled = true;
      this.workerRequest?.cancel();
      this.publish(499, 'CANCELLED', this.workerRequest !== undefined);
    }
    this.stopWatching?.();
    const { gateway } = this;
    gateway.exchanges.remove(this);
    if (gateway.exchanges.length === 0) gateway.onIdle?.();
  };

  /** Asks who calls and how often. */
  private async admit(): Promise<void> {
    try {
      if (!(await this.checkRateLimits('before'))) return;
      const { req, query } = this;
      const admission = await this.route.guard?.admit({ headers: req.headers, query, req });
      if (admission !== undefined && 'problem' in admission) {
        this.fail(admission.problem);
        return;
      }
      this.caller = admission?.caller;
      if (!(await this.checkRateLimits('after'))) return;
    } catch (error) {
      this.failInternally(error);
      return;
    }
    this.attempt(() => this.accept());
  }

  private async checkRateLimits(phase: 'before' | 'after'): Promise<boolean> {
    const { rateLimits } = this.gateway;
    if (rateLimits === undefined) return true;
    const client = clientOf(this.req);
    const { eventName } = this.route.operation;
    const verdict = await rateLimits.count({ client, caller: this.caller, eventName }, phase, this.maxWait);
    this.extraHeaders.push(...verdict.headers);
    if (verdict.problem !== undefined) this.fail(verdict.problem);
    return verdict.problem === undefined;
  }

  get maxWait(): number {
    return maxWaitOf(this.gateway.settings, this.req, this.route.timeout);
  }

  /** Looks at the headers, and for a body. */
  private accept(): void {
    const { headers } = this.req;
    const { produces } = this.route;
    if (headers.accept !== undefined && produces.length > 0 && !accepts(headers.accept, produces)) {
      const detail = `The reply can be ${produces.join(', ')}.`;
      this.fail(httpProblem('NOT_ACCEPTABLE', detail));
    } else if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
      this.bind('', undefined);
    } else this.readBody();
  }

  private readBody(): void {
    const { req, res, gateway } = this;
    if (req.readableEnded) {
      this.onBody(undefined, bodyFromMiddleware(req));
      return;
    }
    const declared = Number(req.headers['content-length'] ?? 0);
    if (gateway.expecting.has(req) && declared <= gateway.settings.limits.body) {
      res.removeHeader('Connection');
      res.writeContinue();
    }
    gateway.bodies.read(req, (problem, bytes) => {
      if (problem !== undefined || bytes.length === 0) this.onBody(problem, bytes);
      else
        decodeBody(req.headers['content-encoding'] ?? '', bytes, gateway.settings.limits.body, this.onBody);
    });
  }

  private readonly onBody = (problem: Problem | undefined, bytes: Buffer): void => {
    if (this.settled) return;
    if (problem !== undefined) {
      this.fail(problem);
      return;
    }
    this.attempt(() => this.checkMediaType(bytes));
  };

  /** Looks at the media type of a body. */
  private checkMediaType(bytes: Buffer): void {
    if (bytes.length === 0) {
      this.bind('', undefined);
      return;
    }
    if (!this.route.acceptsBody) {
      this.fail(
        invalidRequest([{ pointer: '/body', detail: 'is not taken here; send the request without one' }]),
      );
      return;
    }
    const { binder } = this.route;
    const header = this.req.headers['content-type'];
    const type = binder.typeFor(header);
    if (type !== undefined) {
      this.bind(type, bytes);
      return;
    }
    const wanted = binder.mediaTypes.join(', ');
    const taken = wanted === '' ? 'no media type that the gateway can read' : `${wanted}, in UTF-8`;
    const detail = `The body is ${header ?? 'of no named media type'}; this operation takes ${taken}.`;
    this.fail(httpProblem('UNSUPPORTED_MEDIA_TYPE', detail, ['Accept', wanted]));
  }

  /** Makes event data. */
  private bind(type: string, bytes: Buffer | undefined): void {
    const bound = this.route.binder.bind(this, type, bytes);
    if (Array.isArray(bound)) {
      this.fail(invalidRequest(bound));
      return;
    }
    const timeout = this.timeout();
    if (timeout === undefined) return;
    const { headers, method } = this.req;
    if (method !== 'GET' && method !== 'HEAD' && isConditional(headers)) {
      void checkPreconditions(this, timeout, (problem, left) => {
        if (problem !== undefined) this.fail(problem);
        else this.attempt(() => this.send(bound, type, left));
      }).catch((error: unknown) => this.failInternally(error));
    } else this.send(bound, type, timeout);
  }

  /** The time for this request, in ms; undefined when what the caller says is no time. */
  private timeout(): number | undefined {
    const { settings } = this.gateway;
    const header = settings.timeoutHeader.toLowerCase();
    const given = this.req.headers[header];
    if (given === undefined) return this.route.timeout;
    if (typeof given === 'string' && /^[1-9]\d{0,8}$/.test(given))
      return Math.min(Number(given), settings.maxTimeout);
    this.fail(
      invalidRequest([{ pointer: `/header/${header}`, detail: 'must be a whole number of milliseconds' }]),
    );
    return undefined;
  }

  private send(bound: BoundRequest, type: string, timeout: number): void {
    if (this.settled) return;
    const { operation } = this.route;
    const outgoing = {
      eventName: operation.eventName,
      body: bound.body,
      timeout,
      idempotent: operation.idempotent,
      requestId: this.requestId,
      extras: this.extras(bound, type, timeout),
    };
    this.workerRequest = this.gateway.requester.request(outgoing, this.onReply);
  }

  /** Keeps a request that is under way, so that it is cancelled when the client goes away. */
  track(call: InFlight): void {
    this.workerRequest = call;
    if (this.settled) call.cancel();
  }

  private extras({ key }: BoundRequest, type: string, timeout: number): RequestExtras | undefined {
    const { req, gateway, caller } = this;
    const { trace } = this;
    const contentType = isFormType(type) ? FORM_TYPE : undefined;
    const timing = this.started !== 0 && sendsTiming(gateway.settings, req) ? timeout : undefined;
    const nothing =
      trace === undefined && caller === undefined && key === undefined && contentType === undefined;
    return nothing && timing === undefined ? undefined : { ...trace, caller, key, contentType, timing };
  }

  private readonly onReply = (reply: ReplyMessage): void => {
    this.workerRequest = undefined;
    if (this.settled) return;
    try {
      if (reply.code !== '')
        this.fail(
          problemOfReply(reply, (pointer) => this.route.httpPointer(pointer)),
          reply,
        );
      else {
        this.settled = true;
        const status = sendReply(this, reply);
        this.publish(status, '', true);
      }
    } catch (error) {
      this.settled = false;
      this.failInternally(error);
    }
  };

  /** Answers with a problem. */
  private fail(problem: Problem, reply?: ReplyMessage): void {
    if (this.settled) return;
    this.settled = true;
    const status = sendProblem(this, problem, reply);
    this.publish(status, problem.code, problem.dispatched ?? false);
  }

  private attempt(step: () => void): void {
    if (this.settled) return;
    try {
      step();
    } catch (error) {
      this.failInternally(error);
    }
  }

  /** Something in the gateway itself failed; callers learn no more than that. */
  private failInternally(error: unknown): void {
    const { requestId, gateway, route } = this;
    const { eventName } = route.operation;
    gateway.logger.error(
      { err: toError(error), requestId, event: eventName },
      'a request failed in the gateway',
    );
    this.fail(httpProblem('INTERNAL_ERROR', 'The gateway could not handle the request; its log says why.'));
  }

  get trace(): TraceContext | undefined {
    return this.span?.context ?? this.callerTrace();
  }

  private callerTrace(): TraceContext | undefined {
    return this.req.headers.traceparent === undefined ? undefined : traceContext(this.req.headers);
  }

  private beginSpan(tracing: Tracing): TracedSpan {
    const { requestId } = this;
    return tracing.begin('gateway', this.callerTrace(), {
      'http.request.method': this.req.method,
      'http.route': this.entry.path,
      'url.path': `/${this.segments.join('/')}`,
      'zeromq_gateway.event': this.route.operation.eventName,
      'zeromq_gateway.request_id': requestId,
    });
  }

  /** Tells how it ended: diagnostics, access log and trace. */
  private publish(status: number, code: string, dispatched: boolean): void {
    const { gateway, caller, requestId } = this;
    try {
      this.span?.end({ code, status });
    } catch (error) {
      gateway.logger.error({ err: toError(error), requestId }, 'a span could not be ended');
    }
    if (!hasObservers(gateway)) return;
    const duration = this.started === 0 ? 0 : performance.now() - this.started;
    publishAnswer(gateway, this.req, {
      requestId,
      route: this.entry.path,
      status,
      code,
      eventName: this.route.operation.eventName,
      dispatched,
      duration,
      caller: caller?.id ?? '',
    });
  }
}
