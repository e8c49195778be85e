/**
 * Requests of one node by event, as they went lately: rates, times, failures. For people who look now; it costs nothing
 * until somebody does, and stops when nobody has for a while.
 *
 * What is older counts less: each second all counts fade by a fifth, so that figures follow a change within a few
 * seconds and do not jump from one to the next.
 */

import { Ring } from '../collections/ring.ts';
import { type Cancel, type Clock, systemClock } from '../time/clock.ts';
import { diagnostics, type NodeKind, type RequestSettled } from './diagnostics.ts';
import { Histogram, quantile, TIMES } from './histogram.ts';

/** Requests for an event lately. Rates are a second's, times ms. */
export interface EventStats {
  readonly event: string;
  readonly rate: number;
  /** Share of them that failed, 0 to 1. */
  readonly failed: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Requests since somebody began to look. */
  readonly requests: number;
  readonly failures: number;
}

/** A request that failed. */
export interface FailedRequest {
  /** Wall time, ms since the epoch. */
  readonly at: number;
  readonly event: string;
  readonly code: string;
  readonly requestId: string;
}

/** All of a node's. */
export interface RequestReport {
  /** Of all events together. */
  readonly all: EventStats;
  readonly events: readonly EventStats[];
  /** The last failures, the newest first. */
  readonly failures: readonly FailedRequest[];
}

const TICK = 1000;
const KEPT = 0.8;
/** Nobody looked for so long (ms): it stops. */
const IDLE = 60_000;
const MAX_EVENTS = 500;
const MAX_FAILURES = 50;
const OTHER = 'other';

class RecentRequests {
  private readonly times = new Histogram(TIMES);
  private fadedFailures = 0;
  requests = 0;
  failures = 0;

  add({ duration, code }: RequestSettled): void {
    this.times.add(duration);
    this.requests += 1;
    if (code === '') return;
    this.failures += 1;
    this.fadedFailures += 1;
  }

  fade(): void {
    this.times.scaleBy(KEPT);
    this.fadedFailures *= KEPT;
  }

  /** @param weight what one request a second comes to. */
  report(event: string, weight: number): EventStats {
    const { times, requests, failures } = this;
    const p = (share: number): number | null => quantile(TIMES, times.counts, undefined, share) ?? null;
    const rate = weight === 0 ? 0 : times.count / weight;
    const failed = times.count < 1e-9 ? 0 : this.fadedFailures / times.count;
    const quiet = times.count < 0.05;
    return {
      event,
      rate,
      failed,
      p50: quiet ? null : p(0.5),
      p99: quiet ? null : p(0.99),
      requests,
      failures,
    };
  }
}

export class RequestStats {
  private readonly events = new Map<string, RecentRequests>();
  private all = new RecentRequests();
  private readonly failed = new Ring<FailedRequest>();
  /** What one request a second comes to by now: grows from 0 towards TICK / (1 - KEPT). */
  private weight = 0;
  private lastTick = 0;
  private lastRead = 0;
  private cancelTick: Cancel | undefined;

  /** @param node name of the node; of all of its kind where it gives undefined. */
  constructor(
    private readonly kind: NodeKind,
    private readonly node: () => string | undefined,
    private readonly clock: Clock = systemClock,
  ) {}

  /** How it went lately; begins to look, if nobody did before. */
  read(): RequestReport {
    this.lastRead = this.clock.now();
    if (this.cancelTick === undefined) this.start();
    const since = (this.clock.now() - this.lastTick) / TICK;
    const weight = this.weight + since;
    const events = Array.from(this.events, ([event, lately]) => lately.report(event, weight));
    const failures = Array.from({ length: this.failed.length }, (_, index) => this.failed.at(index));
    return {
      all: this.all.report('', weight),
      events: events.sort((a, b) => b.rate - a.rate || (a.event < b.event ? -1 : 1)),
      failures: failures.filter((one) => one !== undefined).reverse(),
    };
  }

  /** Looks no more, and forgets. */
  close(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    diagnostics.requestSettled.unsubscribe(this.settled);
    this.events.clear();
    this.failed.clear();
    this.all = new RecentRequests();
    this.weight = 0;
  }

  private start(): void {
    diagnostics.requestSettled.subscribe(this.settled);
    this.tickLater();
  }

  private tickLater(): void {
    this.lastTick = this.clock.now();
    this.cancelTick = this.clock.after(TICK, () => this.tick());
  }

  private tick(): void {
    if (this.clock.now() - this.lastRead > IDLE) {
      this.close();
      return;
    }
    this.weight = (this.weight + (this.clock.now() - this.lastTick) / TICK) * KEPT;
    this.all.fade();
    for (const lately of this.events.values()) lately.fade();
    this.tickLater();
  }

  private readonly settled = (settled: RequestSettled): void => {
    const node = this.node();
    if (settled.kind !== this.kind || (node !== undefined && settled.node !== node)) return;
    this.all.add(settled);
    this.at(settled).add(settled);
    if (settled.code === '') return;
    const { eventName: event, code, requestId } = settled;
    this.failed.push({ at: this.clock.wall(), event, code, requestId });
    if (this.failed.length > MAX_FAILURES) this.failed.shift();
  };

  /** Events that nobody serves are anybody's invention: a router gives them no place of their own. */
  private at({ eventName, dispatched, kind }: RequestSettled): RecentRequests {
    const known = this.events.get(eventName);
    if (known !== undefined) return known;
    const own = (dispatched || kind !== 'router') && this.events.size < MAX_EVENTS;
    const name = own ? eventName : OTHER;
    let lately = this.events.get(name);
    if (lately === undefined) {
      lately = new RecentRequests();
      this.events.set(name, lately);
    }
    return lately;
  }
}
