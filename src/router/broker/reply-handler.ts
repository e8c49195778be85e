/** Handles replies of workers: matches each with its request, and settles, redispatches or drops. */

import type { ReplyMessage } from '../../core/messages/message.ts';
import { isProgress } from '../../core/messages/progress.ts';
import { redispatchedReply } from '../../core/messages/redispatched-reply.ts';
import { isRefusal } from './failures.ts';
import type { Recovery } from './recovery.ts';
import type { RouterRequest } from './request.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settlement } from './settlement.ts';
import type { Counters, ReplyDrop } from './stats.ts';
import type { Streams } from './streams.ts';
import type { Worker } from './worker.ts';

/** The parts of the broker that replies concern. */
export interface ReplyHandlerParts {
  readonly counters: Counters;
  readonly recovery: Recovery;
  readonly scheduler: Scheduler;
  readonly settlement: Settlement;
  readonly streams: Streams;
}

export class ReplyHandler {
  constructor(private readonly parts: ReplyHandlerParts) {}

  /** The request that a worker holds under a key. */
  held(worker: Worker, id: number, generation: number): RouterRequest | undefined {
    const request = this.parts.scheduler.slots.get(id, generation);
    return request?.worker === worker ? request : undefined;
  }

  /** See `Broker.reply`. */
  handle(
    worker: Worker,
    id: number,
    generation: number,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    const { counters, recovery, scheduler } = this.parts;
    if (worker.timeouts > 0) recovery.workerResponded(worker);
    const request = this.held(worker, id, generation);
    const drop =
      request === undefined
        ? counters.drop(scheduler.slots, id, generation)
        : this.accept(request, worker, reply, now);
    scheduler.refresh(worker, now);
    return drop;
  }

  private accept(
    request: RouterRequest,
    worker: Worker,
    reply: ReplyMessage,
    now: number,
  ): ReplyDrop | undefined {
    const { counters, recovery, scheduler, settlement, streams } = this.parts;
    const { stream } = request;
    if (reply.more && isProgress(reply)) return passOn(request, reply);
    if (stream !== undefined && (reply.more || stream.started))
      return streams.reply(request, stream, worker, reply, now);
    const overdue = request.state === 'dispatched' && isOverdue(request, now) && !isRefusal(reply);
    // The deadline passed, and the timer has not fired yet.
    if (overdue) recovery.overdue(request, worker, reply.more, now);
    const waiting = request.state === 'dispatched';
    const drop = waiting ? undefined : 'late-reply';
    if (!waiting) counters.dropped.late++;
    if (reply.more) {
      if (waiting) request.origin.settle(request, reply);
      return drop;
    }
    scheduler.release(request, worker);
    const mayReturn = stream?.mayRestart !== false;
    if (mayReturn && isRefusal(reply)) recovery.refused(request, worker, reply, now);
    else if (mayReturn && recovery.isOutdated(request, worker, reply))
      recovery.refusedByEarlierVersion(request, worker, now);
    else {
      if (waiting || request.cancelled) recovery.recordOutcome(request, worker, reply, now);
      if (waiting) settlement.settle(request, redispatchedReply(reply, request.attempts > 1));
      else settlement.deadlines.cancel(request);
    }
    return drop;
  }
}

/** Passes a progress on, if the caller asked for it and still waits. */
function passOn(request: RouterRequest, progress: ReplyMessage): undefined {
  const { state, message, origin } = request;
  if (state === 'dispatched' && message.progress === true) origin.settle(request, progress);
}

/** Whether the deadline has passed. The time for the reply to an upload starts with its last chunk. */
function isOverdue({ deadline, stream }: RouterRequest, now: number): boolean {
  return deadline <= now && (stream === undefined || stream.silentUntil(deadline, 0, now) <= now);
}
