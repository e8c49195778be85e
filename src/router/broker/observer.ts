/** Tells the world outside what becomes of requests: diagnostics channels, and spans where somebody traces. */
import { type DiagnosticsSource, diagnostics } from '../../core/observability/diagnostics.ts';
import { activeTracing, type Tracing, traceContextIn } from '../../core/observability/tracing.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { RouterRequest } from './request.ts';

/** Told by the core of each request. Must not call it back. */
export interface BrokerObserver {
  /** A worker was given the request. */
  dispatched(pending: RouterRequest): void;
  /** It has its outcome; called before its state changes. */
  settled(pending: RouterRequest, code: string, status: number): void;
}

export class RouterObserver implements BrokerObserver {
  private readonly tracing: Tracing | undefined = activeTracing();

  /** @param now the present, on the core's clock. */
  constructor(
    private readonly speaker: DiagnosticsSource,
    private readonly now: () => number = turnNow,
  ) {}

  dispatched(pending: RouterRequest): void {
    if (this.tracing !== undefined && pending.attempts === 1) this.trace(pending, '', 200);
  }

  settled(pending: RouterRequest, code: string, status: number): void {
    if (this.tracing !== undefined && pending.attempts === 0) this.trace(pending, code, status);
    if (!diagnostics.requestSettled.hasSubscribers) return;
    const { message, attempts, enqueuedAt, dispatchedAt, state } = pending;
    const now = this.now();
    const dispatched = attempts > 0;
    diagnostics.requestSettled.publish({
      kind: this.speaker.kind,
      node: this.speaker.node,
      eventName: message.eventName,
      requestId: message.requestId,
      status,
      code,
      dispatched,
      duration: now - enqueuedAt,
      queueTime: (dispatched ? dispatchedAt : now) - enqueuedAt,
      handlerTime: state === 'dispatched' ? now - dispatchedAt : undefined,
    });
  }

  /** The span of the time until the first worker had it, made when it is over. */
  private trace({ message, enqueuedAt, dispatchedAt }: RouterRequest, code: string, status: number): void {
    const { eventName, requestId, extras } = message;
    const attributes = { 'zeromq_gateway.event': eventName, 'zeromq_gateway.request_id': requestId };
    const end = code === '' ? dispatchedAt : this.now();
    this.tracing
      ?.begin('queue', traceContextIn(extras), attributes, enqueuedAt)
      .end({ code, status }, Math.max(end, enqueuedAt));
  }
}
