/**
 * Publishes the outcomes of requests on the diagnostics channels, and records spans while tracing
 * is active.
 */
import { type Logger, silentLogger } from '../../core/logging/logging.ts';
import { type DiagnosticsSource, diagnostics } from '../../core/observability/diagnostics.ts';
import { activeTracing, type Tracing, traceContextIn } from '../../core/observability/tracing.ts';
import { turnNow } from '../../transport/link/turn.ts';
import { FailureLog } from './failure-log.ts';
import type { RouterRequest } from './request.ts';
import { Worker } from './worker.ts';

/** Receives the progress of each request. Must not call the broker back. */
export interface BrokerObserver {
  /** A request was dispatched. */
  dispatched(request: RouterRequest): void;
  /** A request is settled; called before its state changes. */
  settled(request: RouterRequest, code: string, status: number): void;
}

export class RouterObserver implements BrokerObserver {
  private readonly failures: FailureLog;
  private readonly tracing: Tracing | undefined = activeTracing();

  /**
   * @param now returns the current time on the broker's clock.
   * @param logger receives requests that timed out or lost their worker.
   */
  constructor(
    private readonly source: DiagnosticsSource,
    private readonly now: () => number = turnNow,
    logger: Logger = silentLogger,
  ) {
    this.failures = new FailureLog(logger, now);
  }

  dispatched(request: RouterRequest): void {
    if (this.tracing !== undefined && request.attempts === 1) this.trace(request, '', 200);
  }

  settled(request: RouterRequest, code: string, status: number): void {
    if (this.tracing !== undefined && request.attempts === 0) this.trace(request, code, status);
    if (code !== '') this.failures.failed(request, code);
    if (!diagnostics.requestSettled.hasSubscribers) return;
    const { message, attempts, enqueuedAt, dispatchedAt, state, origin, worker } = request;
    // The length of a stream says nothing about the handler: its time to the first chunk does.
    const now = request.stream?.startedAt ?? this.now();
    const dispatched = attempts > 0;
    diagnostics.requestSettled.publish({
      kind: this.source.kind,
      node: this.source.node,
      eventName: message.eventName,
      requestId: message.requestId,
      status,
      code,
      dispatched,
      call: origin.depth !== undefined,
      version: worker instanceof Worker ? worker.release?.version : undefined,
      duration: now - enqueuedAt,
      queueTime: (dispatched ? dispatchedAt : now) - enqueuedAt,
      handlerTime: state === 'dispatched' ? now - dispatchedAt : undefined,
    });
  }

  /** Records the span of the time in the queue once it is over. */
  private trace({ message, enqueuedAt }: RouterRequest, code: string, status: number): void {
    // The broker's clock stands still within a turn: most requests would be queued for no time at all.
    this.tracing
      ?.beginMessaging('queue', message, traceContextIn(message.extras), enqueuedAt)
      .end({ code, status }, Math.max(performance.now(), enqueuedAt));
  }
}
