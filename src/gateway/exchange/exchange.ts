/**
 * One operation request, from its headers to the end of the response.
 *
 * admitted (rate limits, authentication) → read (body) → bound (event data) → sent (requester) →
 * answered
 *
 * Steps that need no waiting run in one turn of the event loop. An exchange settles with exactly
 * one of: a reply, a problem, or a client disconnect, which cancels the request down to the worker.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Caller, InFlight, OutgoingRequest, ReplyMessage } from '../../core/messages/message.ts';
import type { TraceContext, TracedSpan } from '../../core/observability/tracing.ts';
import type { BoundRequest } from '../binding/binder.ts';
import type { BodyContent } from '../binding/body.ts';
import { isMultipartType } from '../common/media-type.ts';
import { invalidRequest, outcomeProblem, type Problem, problemOfReply } from '../common/problem.ts';
import { traceContext } from '../common/request-id.ts';
import { clientOf, hasObservers, type StreamTraffic } from '../context/access-log.ts';
import type { ActiveExchange, GatewayContext } from '../context/gateway-context.ts';
import { isConditional } from '../response/conditional.ts';
import { hasTags, withPlainTags } from '../response/entity-tag.ts';
import { type ResponseContext, sendProblem, sendReply } from '../response/reply.ts';
import { needsStartTime } from '../response/server-timing.ts';
import type { Route } from '../routing/route.ts';
import type { Match, PathEntry } from '../routing/route-table.ts';
import { onDisconnect } from './client-disconnect.ts';
import { abortedProblem, internalProblem } from './own-problems.ts';
import { type ConditionalExchange, checkPreconditions } from './preconditions.ts';
import { publishOutcome } from './publish-outcome.ts';
import {
  acceptProblem,
  hasBody,
  readRequestBody,
  splitForm,
  unexpectedBody,
  unsupportedMediaType,
} from './request-body.ts';
import { extrasOf } from './request-extras.ts';
import { maxWaitOf, requestTimeout } from './request-timeout.ts';
import { beginSpan } from './span.ts';

/** An operation request in progress. */
export class Exchange implements ActiveExchange, ResponseContext, ConditionalExchange {
  /** Response headers of this exchange besides those of its route, names and values in turn. */
  readonly extraHeaders: string[];
  before: ActiveExchange | undefined = undefined;
  after: ActiveExchange | undefined = undefined;
  readonly started: number;
  protected workerRequest: InFlight | undefined;
  caller: Caller | undefined;
  protected settled = false;
  /** Whether the request was handed to the client or router, so that it may have run. */
  protected sent = false;
  /** What a stream has moved; undefined for other exchanges. */
  protected traffic: StreamTraffic | undefined;
  private stopWatching: (() => void) | undefined;
  /** Undefined if the process does not trace. */
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

  /** The request headers, with entity tags as the worker knows them. */
  get headers(): IncomingHttpHeaders {
    const { headers } = this.req;
    return this.gateway.settings.compression === false || !hasTags(headers)
      ? headers
      : withPlainTags(headers);
  }

  /** Starts the exchange, unless the gateway is closed or at its limit. */
  start(): void {
    const { gateway } = this;
    if (gateway.tracing !== undefined)
      this.span = beginSpan(gateway.tracing, this, traceContext(this.req.headers));
    if (gateway.closed) this.fail(outcomeProblem('SHUTTING_DOWN', 'The gateway is shutting down.'));
    else if (this.exceedsLimit) {
      const { inFlight } = gateway.settings.limits;
      this.fail(outcomeProblem('BUSY', `The gateway already has ${inFlight} requests in flight.`));
    } else {
      gateway.exchanges.push(this);
      this.stopWatching = onDisconnect(this.res, this.req.socket, this.onClose);
      this.enter();
    }
  }

  /** Whether the gateway has its maximum of requests in flight. Streams have a maximum of their own. */
  protected get exceedsLimit(): boolean {
    const { exchanges, streams, settings } = this.gateway;
    return exchanges.length - streams.length >= settings.limits.inFlight;
  }

  /** Starts the request, now that it counts as one in flight. */
  protected enter(): void {
    if (this.route.guard !== undefined || this.gateway.rateLimits !== undefined) void this.admit();
    else this.attempt(() => this.accept());
  }

  /** Settles the exchange because the shutdown deadline has passed. */
  abort(): void {
    this.workerRequest?.cancel();
    this.fail(abortedProblem(this.sent));
  }

  /** Called when the client has received the response or has disconnected. */
  private readonly onClose = (): void => {
    this.abandon();
    this.stopWatching?.();
    this.leave();
  };

  /** The exchange is no longer in flight. */
  protected leave(): void {
    const { gateway } = this;
    gateway.exchanges.remove(this);
    if (gateway.exchanges.length === 0) gateway.onIdle?.();
  }

  /** Settles the exchange because the client has disconnected. */
  protected abandon(): void {
    if (this.settled) return;
    this.settled = true;
    this.workerRequest?.cancel();
    this.publish(499, 'CANCELLED', this.workerRequest !== undefined);
  }

  /** Authenticates the caller and counts the request against the rate limits. */
  private async admit(): Promise<void> {
    try {
      if (!(await this.checkRateLimits('before'))) return;
      const { req, query } = this;
      const admission = await this.route.guard?.admit({ headers: req.headers, query, req });
      if (admission !== undefined && 'problem' in admission) {
        this.fail(admission.problem);
        return;
      }
      if (admission !== undefined) this.caller = admission.caller;
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
    const subject = { client, caller: this.caller, eventName };
    const { headers, problem } = await rateLimits.count(subject, phase, this.maxWait);
    this.extraHeaders.push(...headers);
    if (problem !== undefined) this.fail(problem);
    return problem === undefined;
  }

  /** How long a count of a rate limit may take, in ms. */
  get maxWait(): number {
    return maxWaitOf(this.gateway.settings, this.req, this.route.timeout);
  }

  /** Checks the Accept header, then reads the body if there is one. */
  protected accept(): void {
    const problem = acceptProblem(this.req, this.route);
    if (problem !== undefined) this.fail(problem);
    else if (!hasBody(this.req)) this.bind('', undefined);
    else readRequestBody(this.gateway, this.req, this.res, this.onBody);
  }

  private readonly onBody = (problem: Problem | undefined, bytes: Buffer): void => {
    if (this.settled) return;
    if (problem !== undefined) {
      this.fail(problem);
      return;
    }
    this.attempt(() => this.checkMediaType(bytes));
  };

  /** Checks whether the operation accepts a body of this media type. */
  private checkMediaType(bytes: Buffer): void {
    if (bytes.length === 0) {
      this.bind('', undefined);
      return;
    }
    if (!this.route.acceptsBody) {
      this.fail(unexpectedBody());
      return;
    }
    const { bodies } = this.route.binder;
    const header = this.req.headers['content-type'];
    const type = bodies.typeFor(header);
    if (type === undefined) this.fail(unsupportedMediaType(header, bodies));
    else if (isMultipartType(type)) void this.bindForm(type, bytes);
    else this.bind(type, bytes);
  }

  private async bindForm(type: string, bytes: Buffer): Promise<void> {
    const parts = await splitForm(bytes, type);
    if (!Array.isArray(parts)) this.fail(parts);
    else this.attempt(() => this.bind(type, parts));
  }

  /** Binds the request to event data, checks preconditions, and sends it. */
  protected bind(type: string, content: BodyContent | undefined): void {
    const bound = this.route.binder.bind(this, type, content);
    if (Array.isArray(bound)) {
      this.fail(invalidRequest(bound));
      return;
    }
    const timeout = requestTimeout(this.gateway.settings, this.req, this.route.timeout);
    if (typeof timeout !== 'number') {
      this.fail(invalidRequest([timeout]));
      return;
    }
    const { headers, method } = this.req;
    if (method !== 'GET' && method !== 'HEAD' && isConditional(headers)) {
      void checkPreconditions(this, timeout, (problem, left) => {
        if (problem !== undefined) this.fail(problem);
        else this.attempt(() => this.send(bound, type, left));
      }).catch((error: unknown) => this.failInternally(error));
    } else this.send(bound, type, timeout);
  }

  private send(bound: BoundRequest, type: string, timeout: number): void {
    if (this.settled) return;
    const { operation } = this.route;
    this.dispatch({
      eventName: operation.eventName,
      body: bound.body,
      timeout,
      idempotent: operation.idempotent,
      requestId: this.requestId,
      extras: extrasOf(this, bound.key, type, timeout),
    });
  }

  /** Sends the event of the request. */
  protected dispatch(outgoing: OutgoingRequest): void {
    this.sent = true;
    this.workerRequest = this.request(outgoing);
  }

  protected request(outgoing: OutgoingRequest): InFlight {
    return this.gateway.requester.request(outgoing, this.onReply);
  }

  requestCurrent(_route: Route, outgoing: OutgoingRequest): Promise<ReplyMessage | Problem> {
    return new Promise((resolve) => this.track(this.gateway.requester.request(outgoing, resolve)));
  }

  /** Keeps a request in flight, so that it is cancelled if the client disconnects. */
  protected track(request: InFlight): void {
    this.workerRequest = request;
    if (this.settled) request.cancel();
  }

  protected readonly onReply = (reply: ReplyMessage): void => {
    this.workerRequest = undefined;
    if (!this.settled) this.receive(reply);
  };

  /** Responds with a reply of a worker. */
  protected receive(reply: ReplyMessage): void {
    this.deliver(reply);
  }

  /** Responds with a reply that no hook changes any further. */
  protected deliver(reply: ReplyMessage): void {
    try {
      const sent =
        reply.code === ''
          ? sendReply(this, reply)
          : problemOfReply(reply, (pointer) => this.route.httpPointer(pointer));
      if (typeof sent === 'number') {
        this.settled = true;
        this.publish(sent, '', this.sent);
      } else this.fail(sent, reply);
    } catch (error) {
      this.settled = false;
      this.failInternally(error);
    }
  }

  /** Settles the exchange with a problem. */
  protected fail(problem: Problem, reply?: ReplyMessage): void {
    if (this.settled) return;
    this.settled = true;
    this.finish(problem, reply);
  }

  /** Responds with the problem that settles the exchange. */
  protected finish(problem: Problem, reply: ReplyMessage | undefined): void {
    this.respondWith(problem, reply);
  }

  /** Responds with a problem that no hook changes any further. */
  protected respondWith(problem: Problem, reply: ReplyMessage | undefined): void {
    const status = sendProblem(this, problem, reply);
    this.publish(status, problem.code, problem.dispatched ?? false, problem.detail);
  }

  /** Runs a step; an exception settles the exchange with `INTERNAL_ERROR`. */
  protected attempt(step: () => void): void {
    if (this.settled) return;
    try {
      step();
    } catch (error) {
      this.failInternally(error);
    }
  }

  /** Settles the exchange after an internal error. */
  protected failInternally(error: unknown): void {
    this.fail(internalProblem(this, error, this.sent));
  }

  /** The context of the gateway's span, or else that of the caller. */
  get trace(): TraceContext | undefined {
    return this.span?.context ?? traceContext(this.req.headers);
  }

  /** Publishes how the exchange ended: trace, diagnostics and access log. */
  protected publish(status: number, code: string, dispatched: boolean, detail?: string): void {
    const { span, traffic } = this;
    if (span === undefined && !hasObservers(this.gateway)) return;
    publishOutcome(this, span, { status, code, dispatched, detail, traffic });
  }
}
