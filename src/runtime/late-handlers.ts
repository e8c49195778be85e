/**
 * Logs handlers whose request timed out or was cancelled: one line for each, when the handler
 * settles, or when it still has not settled some time later. While none is late, the only cost is
 * one timer for all running handlers.
 */
import type { Logger } from '../core/logging/logging.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { toError } from '../core/messages/errors.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import type { HandlerExecution } from './execution.ts';

/** How long after the end of its request a handler may settle before a line says that it has not. */
const GRACE = 5000;

/** How long a handler may run whose request has no deadline, in milliseconds. */
const LONG = 60_000;

/** The period in milliseconds in which the number of lines is limited. */
const PERIOD = 10_000;

/** Maximum number of lines per period; the rest are counted in one more line. */
const MAX_LINES = 10;

/** Maximum number of events that the line with the rest names. */
const MAX_EVENTS = 10;

const ENDED: Readonly<Record<CancelReason, string>> = {
  expired: 'timed out',
  cancelled: 'was cancelled',
  lost: 'lost the connection for its reply',
  stopped: 'was aborted because the node closed',
  withdrawn: 'was withdrawn',
};

export class LateHandlers {
  private sweeping: Cancel | undefined;
  private lines = 0;
  private readonly rest = new Map<string, number>();
  private restCount = 0;
  private periodEnd: Cancel | undefined;

  /** @param running the running executions. */
  constructor(
    private readonly running: Iterable<HandlerExecution>,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /** Watches the running handlers until none is left. Called when one did not settle at once. */
  watch(): void {
    this.sweeping ??= this.clock.after(GRACE, () => this.sweep());
  }

  /** Records that the request of a running handler ended. */
  ended(execution: HandlerExecution, why: CancelReason): void {
    execution.late ??= { why, at: Math.min(this.clock.now(), execution.deadline), reported: false };
  }

  /** Records what a handler threw after its request had ended. */
  failed(execution: HandlerExecution, thrown: unknown): void {
    if (thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')) return;
    this.ended(execution, 'expired');
    if (execution.late !== undefined) execution.late.thrown = thrown;
  }

  /** Logs a handler that settled after the end of its request. */
  settled(execution: HandlerExecution): void {
    // The end of a stream whose caller went away is not late.
    if (execution.streamed !== undefined && execution.late?.thrown === undefined) return;
    const { why = 'expired', at, thrown } = execution.late ?? { at: execution.deadline };
    const after = milliseconds(Math.max(0, this.clock.now() - at));
    this.report(execution, `a handler settled ${after} after its request ${ENDED[why]}`, thrown);
  }

  /** Logs the handlers that still run, and ends. */
  close(): void {
    for (const execution of this.running) {
      this.report(execution, 'a handler had not settled when its node closed');
    }
    this.sweeping?.();
    this.sweeping = undefined;
    this.periodEnd?.();
    this.endPeriod();
  }

  private sweep(): void {
    this.sweeping = undefined;
    const now = this.clock.now();
    let any = false;
    for (const execution of this.running) {
      any = true;
      const { why = 'expired', at } = execution.late ?? { at: execution.deadline };
      if (now - at >= GRACE) {
        const text = `a handler has not settled ${milliseconds(now - at)} after its request ${ENDED[why]}`;
        this.report(execution, `${text}; it counts towards the concurrency until it does`);
      } else if (this.isLong(execution, now)) {
        const text = `a handler has not settled for ${milliseconds(now - execution.createdAt)}`;
        this.report(execution, `${text}; its request has no deadline`);
      }
    }
    if (any) this.watch();
  }

  /** A stream may take any time once it has begun. */
  private isLong({ deadline, createdAt, streamed }: HandlerExecution, now: number): boolean {
    return deadline === Infinity && streamed?.isFlowing !== true && now - createdAt >= LONG;
  }

  private report(execution: HandlerExecution, text: string, err?: unknown): void {
    if (execution.late?.reported === true) return;
    const now = this.clock.now();
    execution.late ??= { why: undefined, at: now, reported: true };
    execution.late.reported = true;
    const { eventName: event, requestId } = execution.message;
    if (this.lines >= MAX_LINES) {
      this.count(event);
      return;
    }
    this.lines += 1;
    this.periodEnd ??= this.clock.after(PERIOD, () => this.endPeriod());
    const ran = Math.round(now - (execution.startedAt || execution.createdAt));
    const fields = { event, requestId, ran };
    this.log(err === undefined ? fields : { err: toError(err), ...fields }, text);
  }

  private count(event: string): void {
    this.restCount += 1;
    if (this.rest.size < MAX_EVENTS || this.rest.has(event)) {
      this.rest.set(event, (this.rest.get(event) ?? 0) + 1);
    }
  }

  private endPeriod(): void {
    this.periodEnd = undefined;
    this.lines = 0;
    if (this.restCount === 0) return;
    const fields = { count: this.restCount, events: Object.fromEntries(this.rest) };
    this.log(fields, 'more handlers settled late or not at all');
    this.rest.clear();
    this.restCount = 0;
  }

  /** A logger that throws must not prevent the reply. */
  private log(fields: object, text: string): void {
    try {
      this.logger.warn(fields, text);
    } catch (error) {
      process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_LOGGER' });
    }
  }
}

function milliseconds(duration: number): string {
  return `${Math.round(duration).toLocaleString('en-US')} ms`;
}
