/** What the core does when things do not go well: time runs out, workers are lost, silent or refuse, nobody serves. */

import type { ReplyMessage } from '../../core/messages/message.ts';
import { isOutcomeCode } from '../../core/messages/outcome.ts';
import { cannotFinish, hadEnoughTime } from '../../core/time/lateness.ts';
import type { Backlog } from './backlog.ts';
import type { BreakerOwner, Breakers } from './breaker.ts';
import type { EventState, EventTable } from './event-table.ts';
import { isFault } from './failures.ts';
import type { BrokerLimits, RouterNotice } from './limits.ts';
import type { RouterRequest } from './request.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settlement } from './settlement.ts';
import type { Counters } from './stats.ts';
import { TimerEntry, type TimerWheel } from './timers.ts';
import { Worker } from './worker.ts';
import type { WorkerSelector } from './worker-selector.ts';

/** How long a worker rests that says it is busy. */
const BUSY_REST = 50;

/** The parts of the core that recovery works on. */
export interface RecoveryParts {
  readonly limits: BrokerLimits;
  readonly chooser: WorkerSelector;
  readonly counters: Counters;
  readonly routes: EventTable;
  readonly alarms: TimerWheel;
  readonly breakers: Breakers | undefined;
  readonly budget: RetryBudget | undefined;
  readonly settler: Settlement;
  readonly backlog: Backlog;
  readonly dispatcher: Scheduler;
  /** Until then requests that nobody serves wait. */
  readonly startupEnd: number;
  readonly notify: ((notice: RouterNotice) => void) | undefined;
}

export class Recovery implements BreakerOwner {
  private readonly parts: RecoveryParts;

  constructor(parts: RecoveryParts) {
    this.parts = parts;
    const { limits, alarms, routes, startupEnd } = parts;
    if (limits.startupGrace > 0) {
      alarms.add(new TimerEntry((now) => this.endGrace([...routes.strays], now)), startupEnd);
    }
  }

  /** A deadline passed: in the queue, at a worker, or at a classic worker after the caller had gone. */
  readonly expire = (pending: RouterRequest, now: number): void => {
    const { settler, backlog, dispatcher } = this.parts;
    const { worker, state } = pending;
    if (state === 'queued') {
      backlog.remove(pending);
      settler.fail(pending, 'EXPIRED');
      if (pending.least !== -Infinity) dispatcher.flush(pending.message.eventName, now);
      return;
    }
    if (!(worker instanceof Worker)) return;
    if (worker.cancels) worker.port.cancel(pending.id, pending.generation, 'expired');
    else dispatcher.letGo(pending, worker);
    const blamed = this.timedOut(pending, worker, now);
    if (state === 'dispatched') {
      settler.fail(pending, 'TIMEOUT');
      pending.dropPayload();
    }
    if (blamed && !worker.cancels) this.missed(worker, now);
    if (!blamed || !worker.cancels) dispatcher.refresh(worker, now);
  };

  /** A reply, or a part of one where `more` follows, came after the deadline and before the timer that tells of it. */
  overdue(pending: RouterRequest, worker: Worker, more: boolean, now: number): void {
    this.timedOut(pending, worker, now);
    if (more && worker.cancels) worker.port.cancel(pending.id, pending.generation, 'expired');
    this.parts.settler.fail(pending, 'TIMEOUT');
    pending.dropPayload();
  }

  /** A worker replied, well or not: strategies, breakers and the pace of the event learn from it. */
  judge(pending: RouterRequest, worker: Worker, reply: ReplyMessage, now: number): void {
    const { chooser, breakers, routes } = this.parts;
    const { eventName } = pending.message;
    const { code } = reply;
    const took = now - pending.dispatchedAt;
    if (code === '' || !isOutcomeCode(code)) pending.pace?.record(took);
    const failed = isFault(reply);
    // A worker is not to blame for a request that it did not run, or that came to it too late.
    if (code === 'EXPIRED' || (code === 'TIMEOUT' && !hadEnoughTime(pending, pending.dispatchedAt))) {
      breakers?.abandoned(worker, eventName);
      return;
    }
    chooser.replied(worker, took, !failed, now);
    if (breakers === undefined) return;
    if (failed) breakers.failed(worker, routes.events.get(eventName), eventName, code === 'TIMEOUT', now);
    else if (breakers.concerns(worker)) breakers.succeeded(worker, eventName, now);
  }

  /** A worker that had let requests time out said something. */
  heard(worker: Worker): void {
    const { alarms, notify } = this.parts;
    worker.timeouts = 0;
    if (!worker.unresponsive) return;
    worker.unresponsive = false;
    if (worker.muteAlarm !== undefined) alarms.cancel(worker.muteAlarm);
    notify?.({ type: 'worker-responsive', worker: worker.id });
  }

  /** A worker did not run a request, because it is full or leaves. */
  refused(pending: RouterRequest, worker: Worker, reply: ReplyMessage, now: number): void {
    this.parts.counters.refusedByWorker++;
    if (reply.code === 'BUSY') this.restWorker(worker, BUSY_REST, now);
    else worker.draining = true;
    worker.group?.refresh(worker);
    this.withdrawn(pending, worker, now);
  }

  /** Whether a worker refused a request by an earlier version of its contract, and others serve a later one. */
  isOutdated(pending: RouterRequest, worker: Worker, reply: ReplyMessage): boolean {
    if (reply.code !== 'INVALID_REQUEST' || reply.dispatched || pending.state !== 'dispatched') return false;
    const { eventName } = pending.message;
    const top = this.parts.routes.events.get(eventName)?.topRank ?? 0;
    return (worker.ranks?.get(eventName) ?? 0) < top;
  }

  /** A worker of an earlier version did not run a request: it goes to workers of the latest one alone. */
  outranked(pending: RouterRequest, worker: Worker, now: number): void {
    const { eventName } = pending.message;
    pending.least = this.parts.routes.events.get(eventName)?.topRank ?? 0;
    this.parts.counters.refusedByWorker++;
    this.withdrawn(pending, worker, now);
  }

  /** A request that waited for workers of the latest version alone went away: those behind it may go to any. */
  unblocked(eventName: string): void {
    const { alarms, dispatcher } = this.parts;
    alarms.add(new TimerEntry((now) => dispatcher.flush(eventName, now)), 0);
  }

  /** A request came back from a worker that did not run it. */
  withdrawn(pending: RouterRequest, worker: Worker, now: number): void {
    const { breakers, dispatcher, settler } = this.parts;
    breakers?.abandoned(worker, pending.message.eventName);
    if (pending.state !== 'dispatched') {
      settler.deadlines.cancel(pending);
      return;
    }
    pending.attempts--;
    dispatcher.putBack(pending, now);
  }

  /** A worker is gone: what it held is given to others, newest first as each goes to the front, or settled. */
  left(worker: Worker, now: number): void {
    const { alarms, breakers, chooser, dispatcher, settler } = this.parts;
    chooser.left(worker);
    breakers?.forget(worker);
    if (worker.muteAlarm !== undefined) alarms.cancel(worker.muteAlarm);
    if (breakers !== undefined) for (const name of eventsHeld(worker)) breakers.lost(name, now);
    for (let held = worker.holding.last; held !== undefined; held = worker.holding.last) {
      dispatcher.letGo(held, worker);
      if (held.state === 'dispatched') this.lose(held, now);
      else settler.deadlines.cancel(held);
    }
    // What waited for its version of a contract alone may go to workers of another one.
    for (const eventName of worker.ranks?.keys() ?? []) dispatcher.flush(eventName, now);
  }

  /** Nobody announces these events any more: another one serves them, or may come, or their requests are settled. */
  orphaned(events: readonly EventState[], now: number): void {
    const { limits, alarms, dispatcher, routes } = this.parts;
    for (const event of events) {
      if (event.groups.length === 0) continue;
      dispatcher.flush(event.name, now);
      routes.dropStray(event);
    }
    const orphans = events.filter((event) => event.groups.length === 0 && routes.strays.has(event));
    if (orphans.length === 0) return;
    if (limits.workerGrace === 0) {
      this.endGrace(orphans, now);
      return;
    }
    for (const event of orphans) {
      event.inGrace = true;
      event.graceEnd = now + limits.workerGrace;
    }
    alarms.add(new TimerEntry((at) => this.endGrace(orphans, at)), now + limits.workerGrace);
  }

  /** A worker rests for every event. */
  restWorker(worker: Worker, rest: number, now: number): void {
    if (worker.resting || worker.gone) return;
    const { alarms, dispatcher, notify } = this.parts;
    worker.resting = true;
    worker.group?.refresh(worker);
    notify?.({ type: 'rest', worker: worker.id, eventName: undefined, rest });
    const end = (at: number): void => {
      worker.resting = false;
      notify?.({ type: 'rest-over', worker: worker.id, eventName: undefined });
      dispatcher.refresh(worker, at);
    };
    alarms.add(new TimerEntry(end), now + rest);
  }

  rested(worker: Worker | undefined, eventName: string, rest: number): void {
    this.parts.notify?.({ type: 'rest', worker: worker?.id, eventName, rest });
  }

  rescued(worker: Worker | undefined, eventName: string, now: number): void {
    const { dispatcher, notify } = this.parts;
    notify?.({ type: 'rest-over', worker: worker?.id, eventName });
    if (worker === undefined) dispatcher.flush(eventName, now);
    else dispatcher.refresh(worker, now);
  }

  /** A worker let a request time out. False: the request came to it with too little time, so that says nothing. */
  private timedOut(pending: RouterRequest, worker: Worker, now: number): boolean {
    const { breakers, chooser, routes } = this.parts;
    const { eventName } = pending.message;
    if (!hadEnoughTime(pending, pending.dispatchedAt)) {
      breakers?.abandoned(worker, eventName);
      return false;
    }
    breakers?.failed(worker, routes.events.get(eventName), eventName, true, now);
    if (pending.state === 'dispatched') chooser.replied(worker, now - pending.dispatchedAt, false, now);
    return true;
  }

  /** A classic worker let a request time out: after some in a row it gets no more. */
  private missed(worker: Worker, now: number): void {
    const { limits, alarms, dispatcher, notify } = this.parts;
    worker.timeouts++;
    if (worker.timeouts < limits.unresponsiveAfter || worker.unresponsive) return;
    worker.unresponsive = true;
    notify?.({ type: 'worker-unresponsive', worker: worker.id });
    if (limits.unresponsiveRetry === Infinity) return;
    const tryAgain = (at: number): void => {
      worker.unresponsive = false;
      worker.timeouts = limits.unresponsiveAfter - 1;
      dispatcher.refresh(worker, at);
    };
    worker.muteAlarm = new TimerEntry(tryAgain);
    alarms.add(worker.muteAlarm, now + limits.unresponsiveRetry);
  }

  /** The worker of a request is gone: another one may run it only if that does no harm. */
  private lose(pending: RouterRequest, now: number): void {
    const { limits, counters, budget, settler, dispatcher, routes } = this.parts;
    const { eventName, idempotent } = pending.message;
    const wanted =
      idempotent &&
      pending.attempts <= limits.redispatches &&
      !cannotFinish(pending, now) &&
      dispatcher.mayWait(eventName, routes.events.get(eventName), now);
    if (wanted && (budget === undefined || budget.take(now))) {
      counters.redispatched++;
      dispatcher.putBack(pending, now);
      return;
    }
    if (wanted) counters.redispatchesDenied++;
    settler.fail(pending, 'WORKER_LOST');
  }

  /** The time is over in which requests waited for a worker to come. */
  private endGrace(events: readonly EventState[], now: number): void {
    const { routes, dispatcher, startupEnd } = this.parts;
    for (const event of events) {
      if (!routes.strays.has(event) || event.graceEnd > now) continue;
      event.inGrace = false;
      if (event.groups.length === 0 && now >= startupEnd) dispatcher.failQueue(event, 'NO_WORKER');
      routes.dropStray(event);
    }
  }
}

/** The events of the requests that a worker runs. */
function eventsHeld(worker: Worker): Set<string> {
  const names = new Set<string>();
  for (let held = worker.holding.first; held !== undefined; held = held.after)
    names.add(held.message.eventName);
  return names;
}
