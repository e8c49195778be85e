/**
 * Failure handling of the broker: expired deadlines, lost or unresponsive workers, rejections by
 * workers, and events without workers.
 */

import type { ReplyMessage } from '../../core/messages/message.ts';
import { isOutcomeCode } from '../../core/messages/outcome.ts';
import { hadEnoughTime } from '../../core/time/lateness.ts';
import type { Backlog } from './backlog.ts';
import type { BreakerOwner, Breakers } from './breaker.ts';
import type { EventState } from './event-state.ts';
import type { EventTable } from './event-table.ts';
import { isFault } from './failures.ts';
import type { BrokerLimits, RouterNotice } from './limits.ts';
import { Redispatches } from './redispatches.ts';
import type { Releases } from './releases.ts';
import type { RouterRequest } from './request.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settlement } from './settlement.ts';
import type { Counters } from './stats.ts';
import { StreamRecovery } from './stream-recovery.ts';
import { TimerEntry, type TimerWheel } from './timers.ts';
import { Worker, type WorkerInfo } from './worker.ts';
import type { WorkerSelector } from './worker-selector.ts';

/** How long a worker that replied BUSY is suspended, in ms. */
const BUSY_SUSPENSION = 50;

/** How long a silent worker is suspended, in ms: until the next checks. */
const SILENT_SUSPENSION = 1000;

/** The parts of the broker that recovery works on. */
export interface RecoveryParts {
  readonly limits: BrokerLimits;
  readonly selector: WorkerSelector;
  readonly counters: Counters;
  readonly eventTable: EventTable;
  readonly timers: TimerWheel;
  readonly breakers: Breakers | undefined;
  readonly budget: RetryBudget | undefined;
  readonly settlement: Settlement;
  readonly backlog: Backlog;
  readonly scheduler: Scheduler;
  /** Until then, requests for events that no worker serves are queued. */
  readonly startupEnd: number;
  readonly releases: Releases;
  readonly notify: ((notice: RouterNotice) => void) | undefined;
}

export class Recovery implements BreakerOwner {
  private readonly parts: RecoveryParts;
  readonly streams: StreamRecovery;
  private readonly redispatches: Redispatches;

  constructor(parts: RecoveryParts) {
    this.parts = parts;
    this.streams = new StreamRecovery(parts);
    this.redispatches = new Redispatches(parts);
    parts.releases.changed = (now) => parts.scheduler.flushAll(now);
    const { limits, timers, eventTable, startupEnd } = parts;
    if (limits.startupGrace > 0) {
      timers.add(new TimerEntry((now) => this.endGrace([...eventTable.unannounced], now)), startupEnd);
    }
  }

  /** Updates what a worker announces. */
  announced(worker: Worker, info: Partial<WorkerInfo>, now: number): void {
    const { releases, eventTable, scheduler } = this.parts;
    const { events, ranks } = info;
    const before = worker.release;
    const release = releases.join(info.release);
    releases.leave(before);
    if (events === worker.events && ranks === worker.ranks && release === before) return;
    this.orphaned(eventTable.replace(worker, { events, ranks, release }), now);
    if (before !== undefined) scheduler.flushAll(now);
  }

  /**
   * Handles a deadline that passed in the queue, at a worker, or at a classic worker after the
   * caller had cancelled.
   */
  readonly expire = (request: RouterRequest, now: number): void => {
    const { settlement, backlog, scheduler } = this.parts;
    const { worker, state, stream } = request;
    if (stream !== undefined && state === 'dispatched' && !this.streams.silent(request, stream, now)) return;
    if (state === 'queued') {
      backlog.remove(request);
      settlement.fail(request, 'EXPIRED');
      if (request.minRank !== -Infinity) scheduler.flush(request.message.eventName, now);
      return;
    }
    if (!(worker instanceof Worker)) return;
    if (worker.cancels) worker.port.cancel(request.id, request.generation, 'expired');
    else scheduler.release(request, worker);
    const workerAtFault = this.timedOut(request, worker, now);
    if (state === 'dispatched') {
      settlement.fail(request, 'TIMEOUT');
      request.dropPayload();
    }
    if (workerAtFault && !worker.cancels) this.countTimeout(worker, now);
    if (!workerAtFault || !worker.cancels) scheduler.refresh(worker, now);
  };

  /**
   * Handles a reply, or a chunk if `more` follows, that arrived after the deadline but before its
   * timer fired.
   */
  overdue(request: RouterRequest, worker: Worker, more: boolean, now: number): void {
    this.timedOut(request, worker, now);
    if (more && worker.cancels) worker.port.cancel(request.id, request.generation, 'expired');
    this.parts.settlement.fail(request, 'TIMEOUT');
    request.dropPayload();
  }

  /** Records the outcome of a reply for the strategy, the breakers and the pace of the event. */
  recordOutcome(request: RouterRequest, worker: Worker, reply: ReplyMessage, now: number): void {
    const { selector, breakers, eventTable } = this.parts;
    const { eventName } = request.message;
    const { code } = reply;
    const took = now - request.dispatchedAt;
    if (code === '' || !isOutcomeCode(code)) request.pace?.record(took);
    const failed = isFault(reply);
    // A worker is not at fault for a request that it did not run or received too late.
    if (code === 'EXPIRED' || (code === 'TIMEOUT' && !hadEnoughTime(request, request.dispatchedAt))) {
      breakers?.abandoned(worker, eventName);
      return;
    }
    selector.replied(worker, took, !failed, now);
    if (breakers === undefined) return;
    if (failed) breakers.failed(worker, eventTable.events.get(eventName), eventName, code === 'TIMEOUT', now);
    else if (breakers.tracks(worker)) breakers.succeeded(worker, eventName, now);
  }

  /** Handles a sign of life from a worker that let requests time out. */
  workerResponded(worker: Worker): void {
    const { timers, notify } = this.parts;
    worker.timeouts = 0;
    if (!worker.unresponsive) return;
    worker.unresponsive = false;
    if (worker.retryTimer !== undefined) timers.cancel(worker.retryTimer);
    notify?.({ type: 'worker-responsive', worker: worker.id });
  }

  /** Handles a request that a worker rejected because it is busy or stopping. */
  refused(request: RouterRequest, worker: Worker, reply: ReplyMessage, now: number): void {
    this.parts.counters.refusedByWorker++;
    if (reply.code === 'BUSY') this.suspendWorker(worker, BUSY_SUSPENSION, now);
    else worker.draining = true;
    worker.group?.refresh(worker);
    this.returned(request, worker, now);
  }

  /**
   * Whether a worker of an earlier contract version rejected the request as invalid while others
   * serve a later version.
   */
  isOutdated(request: RouterRequest, worker: Worker, reply: ReplyMessage): boolean {
    if (reply.code !== 'INVALID_REQUEST' || reply.dispatched || request.state !== 'dispatched') return false;
    if (request.pin !== undefined) return false;
    const { eventName } = request.message;
    const top = this.parts.eventTable.events.get(eventName)?.topRank ?? 0;
    return (worker.ranks?.get(eventName) ?? 0) < top;
  }

  /**
   * Restricts a request that a worker of an earlier version rejected to workers of the latest one.
   */
  refusedByEarlierVersion(request: RouterRequest, worker: Worker, now: number): void {
    const { eventName } = request.message;
    request.minRank = this.parts.eventTable.events.get(eventName)?.topRank ?? 0;
    this.parts.counters.refusedByWorker++;
    this.returned(request, worker, now);
  }

  /**
   * Handles the end of a request that waited for workers of the latest version: requests behind it
   * may go to any worker.
   */
  versionWaitEnded(eventName: string): void {
    const { timers, scheduler } = this.parts;
    timers.add(new TimerEntry((now) => scheduler.flush(eventName, now)), 0);
  }

  /** Handles a request that returned from a worker without having run. */
  returned(request: RouterRequest, worker: Worker, now: number): void {
    const { breakers, scheduler, settlement } = this.parts;
    breakers?.abandoned(worker, request.message.eventName);
    if (request.state !== 'dispatched') {
      settlement.deadlines.cancel(request);
      return;
    }
    request.attempts--;
    request.stream?.body?.returned();
    scheduler.requeue(request, now);
  }

  /**
   * Handles the loss of a worker. Its requests are redispatched or settled, newest first, because
   * each goes to the front of its queue.
   */
  left(worker: Worker, now: number): void {
    const { timers, breakers, selector, scheduler, settlement } = this.parts;
    selector.left(worker);
    breakers?.forget(worker);
    if (worker.retryTimer !== undefined) timers.cancel(worker.retryTimer);
    if (breakers !== undefined) for (const name of eventsHeld(worker)) breakers.lost(name, now);
    for (let held = worker.holding.last; held !== undefined; held = worker.holding.last) {
      scheduler.release(held, worker);
      if (held.state === 'dispatched') this.redispatches.orFail(held, now);
      else settlement.deadlines.cancel(held);
    }
    // Requests that waited for its version of a contract may go to workers of other versions now.
    for (const eventName of worker.ranks?.keys() ?? []) scheduler.flush(eventName, now);
    if (worker.release !== undefined) scheduler.flushAll(now);
  }

  /**
   * Handles a worker that sends nothing although its connection is established. It receives no
   * requests for a while. Its idempotent requests are redispatched, and cancelled there; the others
   * wait for its reply or its loss.
   */
  silent(worker: Worker, now: number): void {
    this.suspendWorker(worker, SILENT_SUSPENSION, now);
    this.redispatches.fromSilent(worker, now);
  }

  /**
   * Handles events that no worker announces any longer: other workers serve them, a grace period
   * starts, or their requests are settled.
   */
  orphaned(events: readonly EventState[], now: number): void {
    const { limits, timers, scheduler, eventTable } = this.parts;
    for (const event of events) {
      if (event.groups.length === 0) continue;
      scheduler.flush(event.name, now);
      eventTable.dropUnannounced(event);
    }
    const orphans = events.filter((event) => event.groups.length === 0 && eventTable.unannounced.has(event));
    if (orphans.length === 0) return;
    if (limits.workerGrace === 0) {
      this.endGrace(orphans, now);
      return;
    }
    for (const event of orphans) {
      event.inGrace = true;
      event.graceEnd = now + limits.workerGrace;
    }
    timers.add(new TimerEntry((at) => this.endGrace(orphans, at)), now + limits.workerGrace);
  }

  /** Suspends a worker for all events. */
  suspendWorker(worker: Worker, duration: number, now: number): void {
    if (worker.suspended || worker.removed) return;
    const { timers, scheduler, notify } = this.parts;
    worker.suspended = true;
    worker.group?.refresh(worker);
    notify?.({ type: 'worker-suspended', worker: worker.id, duration });
    const resume = (at: number): void => {
      worker.suspended = false;
      notify?.({ type: 'worker-resumed', worker: worker.id });
      scheduler.refresh(worker, at);
    };
    timers.add(new TimerEntry(resume), now + duration);
  }

  opened(worker: Worker | undefined, eventName: string, openDuration: number): void {
    this.parts.notify?.({ type: 'breaker-open', worker: worker?.id, eventName, openDuration });
  }

  halfOpened(worker: Worker | undefined, eventName: string, now: number): void {
    this.parts.notify?.({ type: 'breaker-half-open', worker: worker?.id, eventName });
    this.dispatchQueued(worker, eventName, now);
  }

  closed(worker: Worker | undefined, eventName: string, now: number): void {
    this.parts.notify?.({ type: 'breaker-closed', worker: worker?.id, eventName });
    this.dispatchQueued(worker, eventName, now);
  }

  private dispatchQueued(worker: Worker | undefined, eventName: string, now: number): void {
    const { scheduler } = this.parts;
    if (worker === undefined) scheduler.flush(eventName, now);
    else scheduler.refresh(worker, now);
  }

  /**
   * Records a timeout. Returns false if the request reached the worker with too little time left,
   * which says nothing about the worker.
   */
  private timedOut(request: RouterRequest, worker: Worker, now: number): boolean {
    const { breakers, selector, eventTable } = this.parts;
    const { eventName } = request.message;
    if (!hadEnoughTime(request, request.dispatchedAt)) {
      breakers?.abandoned(worker, eventName);
      return false;
    }
    breakers?.failed(worker, eventTable.events.get(eventName), eventName, true, now);
    if (request.state === 'dispatched') selector.replied(worker, now - request.dispatchedAt, false, now);
    return true;
  }

  /** Counts a timeout of a classic worker. After several in a row it is unresponsive. */
  private countTimeout(worker: Worker, now: number): void {
    const { limits, timers, scheduler, notify } = this.parts;
    worker.timeouts++;
    if (worker.timeouts < limits.unresponsiveAfter || worker.unresponsive) return;
    worker.unresponsive = true;
    notify?.({ type: 'worker-unresponsive', worker: worker.id });
    if (limits.unresponsiveRetry === Infinity) return;
    const retry = (at: number): void => {
      worker.unresponsive = false;
      worker.timeouts = limits.unresponsiveAfter - 1;
      scheduler.refresh(worker, at);
    };
    worker.retryTimer = new TimerEntry(retry);
    timers.add(worker.retryTimer, now + limits.unresponsiveRetry);
  }

  /** Ends the period in which requests for these events waited for a worker to join. */
  private endGrace(events: readonly EventState[], now: number): void {
    const { eventTable, scheduler, startupEnd } = this.parts;
    for (const event of events) {
      if (!eventTable.unannounced.has(event) || event.graceEnd > now) continue;
      event.inGrace = false;
      if (event.groups.length === 0 && now >= startupEnd) scheduler.failQueue(event, 'NO_WORKER');
      eventTable.dropUnannounced(event);
    }
  }
}

/** Events of the requests that a worker holds. */
function eventsHeld(worker: Worker): Set<string> {
  const names = new Set<string>();
  for (let held = worker.holding.first; held !== undefined; held = held.after)
    names.add(held.message.eventName);
  return names;
}
