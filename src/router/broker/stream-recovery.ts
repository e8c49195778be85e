/** Failure handling of streams: silence, cuts, and failures after the first chunk. */
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage } from '../../core/messages/message.ts';
import type { StreamState } from '../../core/messages/stream-state.ts';
import type { Backlog } from './backlog.ts';
import type { Breakers } from './breaker.ts';
import type { EventTable } from './event-table.ts';
import type { BrokerLimits } from './limits.ts';
import type { RouterRequest } from './request.ts';
import type { Settlement } from './settlement.ts';
import { Worker } from './worker.ts';

/** The parts of the broker that it works on. */
export interface StreamRecoveryParts {
  readonly limits: BrokerLimits;
  readonly eventTable: EventTable;
  readonly breakers: Breakers | undefined;
  readonly settlement: Settlement;
  readonly backlog: Backlog;
}

export class StreamRecovery {
  constructor(private readonly parts: StreamRecoveryParts) {}

  /**
   * Handles the deadline of a request with a stream. Returns true if it timed out before its first
   * chunk, as a request without a stream does.
   */
  silent(request: RouterRequest, stream: StreamState, now: number): boolean {
    const { settlement, limits } = this.parts;
    const { streamIdleTimeout } = limits;
    const until = stream.silentUntil(request.deadline, streamIdleTimeout, now);
    if (until > now) {
      if (until !== Infinity) settlement.deadlines.add(request, until);
      return false;
    }
    const timedOut = !stream.started && (!stream.open || stream.body?.ended === true);
    if (!timedOut) this.cutSilent(request);
    return timedOut;
  }

  private cutSilent(request: RouterRequest): void {
    const text = `the stream was silent for ${this.parts.limits.streamIdleTimeout} ms (streamIdleTimeout)`;
    this.stop(request, failure('TIMEOUT', text), 'expired');
  }

  /** Ends a stream, and informs the worker that holds the request. */
  stop(request: RouterRequest, reply: ReplyMessage, why: CancelReason = 'cancelled'): void {
    const { settlement, backlog, breakers } = this.parts;
    const { worker, state, stream } = request;
    if (state === 'queued') backlog.remove(request);
    else if (worker instanceof Worker) {
      if (worker.cancels) worker.port.cancel(request.id, request.generation, why);
      if (stream?.started !== true) breakers?.abandoned(worker, request.message.eventName);
    }
    settlement.settle(request, reply);
    request.dropPayload();
    // As for a cancelled request; see `Broker.cancel`.
    if (state === 'dispatched' && worker instanceof Worker && !worker.cancels)
      settlement.deadlines.add(request, request.deadline);
  }

  /** Records a failure of a stream after its first chunk. */
  failed(request: RouterRequest, worker: Worker, now: number): void {
    const { breakers, eventTable } = this.parts;
    const { eventName } = request.message;
    breakers?.failed(worker, eventTable.events.get(eventName), eventName, false, now);
  }
}
