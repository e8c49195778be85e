/**
 * Metrics of requests by event: outcomes and durations, as seen by the gateways and routers of the
 * process.
 */
import {
  diagnostics,
  type ExecutionSettled,
  type RequestSettled,
} from '../core/observability/diagnostics.ts';
import { Histogram, TIMES } from '../core/observability/histogram.ts';
import { family, type Sample } from './family.ts';
import { BoundedCounts, BoundedTable } from './labels.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Maximum number of events, and of outcome codes per event, with a label of their own. */
const MAX_EVENTS = 500;
const MAX_CODES = 50;
/** Maximum number of versions per event with a label of their own. */
const MAX_VERSIONS = 8;

/** Code label of successful requests. */
const OK = 'OK';

/**
 * Codes of a router that are reported with 0 from the first worker of an event on. `increase()` and
 * `rate()` ignore the value with which a series appears, so alerts would miss the first failures.
 */
const ROUTER_CODES = [OK, 'TIMEOUT', 'EXPIRED', 'QUEUE_FULL', 'BUSY', 'NO_WORKER', 'WORKER_LOST'];

/** Metrics of one event at one kind of node. */
export class EventSeries {
  readonly codes = new BoundedCounts(MAX_CODES);
  readonly total = new Histogram(TIMES);
  /** Outcomes of calls of workers; they count in `codes`, too. */
  calls: BoundedCounts | undefined = undefined;
  /** Time in the queue and at the worker, if the node reports it. */
  readonly queue = new Histogram(TIMES);
  readonly handler = new Histogram(TIMES);
  /** Outcomes by version, if workers announce versions. */
  versions: BoundedTable<BoundedCounts> | undefined;

  add({ code, call, duration, queueTime, handlerTime, version }: RequestSettled): void {
    this.codes.add(code === '' ? OK : code);
    if (call === true) (this.calls ??= new BoundedCounts(MAX_CODES)).add(code === '' ? OK : code);
    this.total.add(duration);
    if (queueTime !== undefined) this.queue.add(queueTime);
    if (handlerTime !== undefined) this.handler.add(handlerTime);
    if (version === undefined) return;
    this.versions ??= new BoundedTable(MAX_VERSIONS, () => new BoundedCounts(MAX_CODES));
    this.versions.at(version).add(code === '' ? OK : code);
  }
}

type EventTable = BoundedTable<EventSeries>;

export class RequestMetrics {
  /** Tables by kind of node. */
  private readonly kinds = new Map<string, EventTable>();

  constructor(subscriptions: Subscriptions) {
    subscriptions.add(diagnostics.requestSettled, (settled) => this.settled(settled));
    subscriptions.add(diagnostics.workerJoined, ({ events }) => {
      const table = this.eventsOf('router');
      for (const event of events) for (const code of ROUTER_CODES) table.at(event).codes.add(code, 0);
    });
  }

  /** The metrics. */
  families() {
    return [
      family('requests_total', () => this.codes()),
      family('calls_total', () => this.calls()),
      family('version_requests_total', () => this.versions()),
      family('request_seconds', () => this.times(({ total }) => total, true)),
      family('queue_seconds', () => this.times(({ queue }) => queue, false)),
      family('handler_seconds', () => this.times(({ handler }) => handler, false)),
    ];
  }

  /** Counts a reply of a worker or server. Its events are those of its handlers, and thus trusted. */
  executed({ kind, eventName, code, duration }: ExecutionSettled): void {
    const table = this.eventsOf(kind);
    const series = code === 'NO_HANDLER' ? table.known(eventName) : table.at(eventName);
    series.codes.add(code === '' ? OK : code);
    series.total.add(duration);
  }

  /** Metrics by event of one kind of node. */
  eventsOf(kind: string): EventTable {
    let table = this.kinds.get(kind);
    if (table === undefined) {
      table = new BoundedTable(MAX_EVENTS, () => new EventSeries());
      this.kinds.set(kind, table);
    }
    return table;
  }

  /**
   * A router receives requests for events that no worker serves. These get no series of their own,
   * because clients could use up all of them.
   */
  private settled(settled: RequestSettled): void {
    const table = this.eventsOf(settled.kind);
    const trusted = settled.dispatched || settled.kind !== 'router';
    (trusted ? table.at(settled.eventName) : table.known(settled.eventName)).add(settled);
  }

  private *codes(): IterableIterator<Sample> {
    for (const [kind, table] of this.kinds) {
      for (const [event, { codes }] of table) {
        for (const [code, count] of codes) yield [{ kind, event, code }, count];
      }
    }
  }

  private *calls(): IterableIterator<Sample> {
    for (const [event, { calls }] of this.kinds.get('router') ?? []) {
      for (const [code, count] of calls ?? []) yield [{ event, code }, count];
    }
  }

  private *versions(): IterableIterator<Sample> {
    for (const [, table] of this.kinds) {
      for (const [event, { versions = [] }] of table) {
        for (const [version, codes] of versions)
          for (const [code, count] of codes) yield [{ event, version, code }, count];
      }
    }
  }

  private *times(of: (series: EventSeries) => Histogram, byKind: boolean): IterableIterator<Sample> {
    for (const [kind, table] of this.kinds) {
      for (const [event, series] of table) {
        const times = of(series);
        if (times.count > 0) yield [byKind ? { kind, event } : { event }, times];
      }
    }
  }
}
