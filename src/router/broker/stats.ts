/** What the router's core counts. */
import { isOutcomeCode, type OutcomeCode } from '../../core/messages/outcome.ts';
import type { Backlog } from './backlog.ts';
import type { EventTable } from './event-table.ts';

/** Why a reply of a worker was not used. */
export interface DroppedReplies {
  /** Its request was settled before: it timed out, was cancelled, or the reply came twice. */
  late: number;
  /** Its token was never given out. */
  forged: number;
  /** Another worker holds the request. */
  foreign: number;
}

/** A snapshot of the counters and gauges of the core. */
export interface RouterStats {
  readonly submitted: number;
  /** Requests settled with a success, with a code of a handler's own, and by code of the catalogue. */
  readonly ok: number;
  readonly replyErrors: number;
  readonly failures: Readonly<Partial<Record<OutcomeCode, number>>>;
  readonly dropped: Readonly<DroppedReplies>;
  /** Requests given to another worker after theirs was lost. */
  readonly redispatched: number;
  /** Redispatches that the retry budget did not allow. */
  readonly redispatchesDenied: number;
  /** Requests that a worker refused, and that went back to their queue. */
  readonly refusedByWorker: number;
  /** Choices of the strategy that could not be used. */
  readonly strategyFaults: number;
  /** Requests waiting now, and what they count for in the bound on bytes. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Replies that clients do not read, in bytes; they count in the same bound, up to half of it. */
  readonly unreadBytes: number;
  /** Requests at workers that somebody waits for. */
  readonly dispatched: number;
  /** Requests at workers that nobody waits for any more. */
  readonly abandoned: number;
  /** Events that are announced, and those that are not but have requests waiting. */
  readonly events: number;
  readonly unannouncedEvents: number;
  readonly workers: number;
}

/** Counters that only grow. */
export class Counters {
  submitted = 0;
  ok = 0;
  replyErrors = 0;
  readonly failures = new Map<OutcomeCode, number>();
  readonly dropped: DroppedReplies = { late: 0, forged: 0, foreign: 0 };
  redispatched = 0;
  redispatchesDenied = 0;
  refusedByWorker = 0;
  strategyFaults = 0;

  /** A request was settled. */
  settled(code: string): void {
    if (code === '') this.ok++;
    else if (isOutcomeCode(code)) this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    else this.replyErrors++;
  }
}

/** What `Broker.stats` tells; `held` counts requests at workers, `live` those that are not settled. */
export function snapshot(
  counters: Counters,
  backlog: Backlog,
  routes: EventTable,
  held: number,
  live: number,
  workers: number,
): RouterStats {
  const dispatched = live - backlog.length;
  return {
    submitted: counters.submitted,
    ok: counters.ok,
    replyErrors: counters.replyErrors,
    failures: Object.fromEntries(counters.failures),
    dropped: { ...counters.dropped },
    redispatched: counters.redispatched,
    redispatchesDenied: counters.redispatchesDenied,
    refusedByWorker: counters.refusedByWorker,
    strategyFaults: counters.strategyFaults,
    queued: backlog.length,
    queuedBytes: backlog.bytes,
    unreadBytes: backlog.unread.bytes,
    dispatched,
    abandoned: held - dispatched,
    events: routes.events.size - routes.strays.size,
    unannouncedEvents: routes.strays.size,
    workers,
  };
}
