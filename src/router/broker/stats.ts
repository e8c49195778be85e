/** Counters and gauges of the broker. */
import type { SlotTable } from '../../core/collections/slot-table.ts';
import { isOutcomeCode, type OutcomeCode } from '../../core/messages/outcome.ts';
import type { DropCause } from '../../core/observability/diagnostics.ts';
import type { Backlog } from './backlog.ts';
import type { EventTable } from './event-table.ts';
import type { RouterRequest } from './request.ts';

/** Why the broker drops a reply. */
export type ReplyDrop = Extract<
  DropCause,
  'late-reply' | 'foreign-reply' | 'unknown-token' | 'window-exceeded'
>;

/** Replies that were not used, by reason. */
export interface DroppedReplies {
  /** The request was settled before: it timed out or was cancelled, or the reply is a duplicate. */
  late: number;
  /** The router never issued its token. */
  unknownToken: number;
  /** Another worker holds the request. */
  foreign: number;
}

/** Snapshot of the counters and gauges of a router, as returned by `ZeroMQRouter.stats()`. */
export interface RouterStats {
  /** Requests submitted to the router. */
  readonly submitted: number;
  /** Of these, calls of workers: requests that their handlers sent. */
  readonly calls: number;
  /** Requests that succeeded. */
  readonly ok: number;
  /** Requests that ended with an error code of a handler. */
  readonly replyErrors: number;
  /** Failures by outcome code. */
  readonly failures: Readonly<Partial<Record<OutcomeCode, number>>>;
  /** Replies that were not used, by reason. */
  readonly dropped: Readonly<DroppedReplies>;
  /** Requests redispatched after their worker was lost. */
  readonly redispatched: number;
  /** Redispatches that the retry budget denied. */
  readonly redispatchesDenied: number;
  /** Requests that a worker rejected without running them, and that were queued again. */
  readonly refusedByWorker: number;
  /** Errors and invalid choices of the strategy. */
  readonly strategyFaults: number;
  /** Streams opened: requests with a chunk, of their reply or of their body. */
  readonly streams: number;
  /** Chunks passed on, in both directions. */
  readonly chunks: number;
  /** Bytes of these chunks. */
  readonly chunkBytes: number;
  /** How often a worker used up the window of its caller, so that the stream stopped. */
  readonly windowStalls: number;
  /** Streams that ended because their sender exceeded its window or the maximum size of chunks. */
  readonly windowExceeded: number;
  /** Streams in flight. */
  readonly openStreams: number;
  /** Queued requests. */
  readonly queued: number;
  /** Bytes of the queued requests that count towards `limits.queueBytes`. */
  readonly queuedBytes: number;
  /**
   * Bytes of replies that clients do not read; they count towards the same bound, up to half of it.
   */
  readonly unreadBytes: number;
  /** Requests at workers whose callers still wait. */
  readonly dispatched: number;
  /** Requests at workers whose callers no longer wait. */
  readonly abandoned: number;
  /** Number of announced events. */
  readonly events: number;
  /** Number of unannounced events that have queued requests. */
  readonly unannouncedEvents: number;
  /** Number of workers. */
  readonly workers: number;
}

/** Counters that only increase. */
export class Counters {
  submitted = 0;
  calls = 0;
  ok = 0;
  replyErrors = 0;
  readonly failures = new Map<OutcomeCode, number>();
  readonly dropped: DroppedReplies = { late: 0, unknownToken: 0, foreign: 0 };
  redispatched = 0;
  redispatchesDenied = 0;
  refusedByWorker = 0;
  strategyFaults = 0;
  streams = 0;
  chunks = 0;
  chunkBytes = 0;
  windowStalls = 0;
  windowExceeded = 0;
  /** Streams in flight; the only one that decreases. */
  openStreams = 0;

  /** Counts a settled request by its outcome code. */
  settled(code: string): void {
    if (code === '') this.ok++;
    else if (isOutcomeCode(code)) this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    else this.replyErrors++;
  }

  /** Counts a reply whose worker does not hold the request under its key, and returns why. */
  drop(slots: SlotTable<RouterRequest>, id: number, generation: number): ReplyDrop {
    if (slots.get(id, generation) !== undefined) {
      this.dropped.foreign++;
      return 'foreign-reply';
    }
    if (slots.wasIssued(id, generation)) {
      this.dropped.late++;
      return 'late-reply';
    }
    this.dropped.unknownToken++;
    return 'unknown-token';
  }
}

/**
 * Builds the result of `Broker.stats`.
 *
 * @param held requests at workers.
 * @param live requests that are not settled.
 */
export function snapshot(
  counters: Counters,
  backlog: Backlog,
  eventTable: EventTable,
  held: number,
  live: number,
  workers: number,
): RouterStats {
  const dispatched = live - backlog.length;
  return {
    submitted: counters.submitted,
    calls: counters.calls,
    ok: counters.ok,
    replyErrors: counters.replyErrors,
    failures: Object.fromEntries(counters.failures),
    dropped: { ...counters.dropped },
    redispatched: counters.redispatched,
    redispatchesDenied: counters.redispatchesDenied,
    refusedByWorker: counters.refusedByWorker,
    strategyFaults: counters.strategyFaults,
    streams: counters.streams,
    chunks: counters.chunks,
    chunkBytes: counters.chunkBytes,
    windowStalls: counters.windowStalls,
    windowExceeded: counters.windowExceeded,
    openStreams: counters.openStreams,
    queued: backlog.length,
    queuedBytes: backlog.bytes,
    unreadBytes: backlog.unread.bytes,
    dispatched,
    abandoned: held - dispatched,
    events: eventTable.events.size - eventTable.unannounced.size,
    unannouncedEvents: eventTable.unannounced.size,
    workers,
  };
}
