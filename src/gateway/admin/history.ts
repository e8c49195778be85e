/**
 * The history of the dashboard: a point each 5 s, of the last 15 minutes, in memory. It begins with
 * the first view, because an unobserved process collects no statistics. It goes on for 15 minutes
 * after the last view.
 */
import type { EventStats, RequestReport } from '../../core/observability/request-stats.ts';
import type { Snapshot } from './source.ts';

/** Time between points, in milliseconds. */
export const HISTORY_STEP = 5000;

/** Length of the history, in milliseconds. */
export const HISTORY_SPAN = 15 * 60_000;

/** Maximum events in a point: those with the most requests. */
const MAX_EVENTS = 100;

/** Rate, p50, p99, share of failed requests, and queued requests. */
export type HistoryValues = readonly [
  rate: number,
  p50: number | null,
  p99: number | null,
  failed: number,
  queued: number,
];

/** The figures of one moment. */
export interface HistoryPoint {
  /** Wall time, ms since the epoch. */
  readonly at: number;
  readonly all: HistoryValues;
  readonly events: Readonly<Record<string, HistoryValues>>;
}

/** Keeps the points of the last 15 minutes. */
export class History {
  private kept: HistoryPoint[] = [];

  /** All points, the oldest first. */
  get points(): readonly HistoryPoint[] {
    return this.kept;
  }

  /** Adds a snapshot. @returns its point; undefined if the last one is recent. */
  add(snapshot: Snapshot): HistoryPoint | undefined {
    const { at } = snapshot;
    const last = this.kept.at(-1);
    // A timer may fire slightly early.
    if (last !== undefined && at - last.at < HISTORY_STEP * 0.9) return undefined;
    const point = pointOf(snapshot);
    this.kept = [...this.kept.filter((each) => at - each.at < HISTORY_SPAN), point];
    return point;
  }
}

/** The figures of a snapshot. Gateways see the whole duration of a request, routers all callers. */
function pointOf({ at, gateways, routers }: Snapshot): HistoryPoint {
  const seen = (gateways.length > 0 ? gateways : routers).map(({ requests }) => requests);
  const queued = new Map<string, number>();
  for (const event of routers.flatMap(({ events }) => events)) {
    queued.set(event.name, (queued.get(event.name) ?? 0) + event.queued);
  }
  const stats = statsByEvent(seen);
  const busiest = [...stats].sort(([, a], [, b]) => rateOf(b) - rateOf(a)).slice(0, MAX_EVENTS);
  const total = routers.reduce((sum, { totals }) => sum + totals.queued, 0);
  return {
    at,
    all: valuesOf(
      seen.map(({ all }) => all),
      total,
    ),
    events: Object.fromEntries(busiest.map(([name, list]) => [name, valuesOf(list, queued.get(name) ?? 0)])),
  };
}

function statsByEvent(reports: readonly RequestReport[]): Map<string, EventStats[]> {
  const stats = new Map<string, EventStats[]>();
  for (const one of reports.flatMap(({ events }) => events)) {
    stats.set(one.event, [...(stats.get(one.event) ?? []), one]);
  }
  return stats;
}

function rateOf(list: readonly EventStats[]): number {
  return list.reduce((sum, { rate }) => sum + rate, 0);
}

/** Adds rates, and takes the longest durations. */
function valuesOf(list: readonly EventStats[], queued: number): HistoryValues {
  const rate = rateOf(list);
  const failed = rate === 0 ? 0 : list.reduce((sum, one) => sum + one.failed * one.rate, 0) / rate;
  const longest = (of: (one: EventStats) => number | null): number | null => {
    const values = list.map(of).filter((value) => value !== null);
    return values.length === 0 ? null : short(Math.max(...values));
  };
  return [short(rate), longest(({ p50 }) => p50), longest(({ p99 }) => p99), short(failed), queued];
}

/** Three digits are enough for a chart. */
function short(value: number): number {
  return Number(value.toPrecision(3));
}
