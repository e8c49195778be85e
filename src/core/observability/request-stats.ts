/**
 * Recent requests of one node by event: rates, durations, failures. It starts collecting at the
 * first read and stops when it is not read for a minute, so that an unobserved node pays nothing.
 *
 * Older requests count less: all counts fade by a fifth per second. The figures follow a change
 * within a few seconds, without jumps.
 */

import { Ring } from '../collections/ring.ts';
import { type Cancel, type Clock, systemClock } from '../time/clock.ts';
import { diagnostics, type NodeKind, type RequestSettled } from './diagnostics.ts';
import { Histogram, quantile, TIMES } from './histogram.ts';

/** Statistics of one event. Rates are per second, durations in milliseconds. */
export interface EventStats {
  readonly event: string;
  readonly rate: number;
  /** Share of failed requests, 0 to 1. */
  readonly failed: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Requests since collecting started. */
  readonly requests: number;
  readonly failures: number;
}

/** A failed request. */
export interface FailedRequest {
  /** Wall time in milliseconds since the epoch. */
  readonly at: number;
  readonly event: string;
  readonly code: string;
  /** Message of the failure, if the node knows it. */
  readonly detail?: string;
  readonly requestId: string;
}

/** Statistics of a node. */
export interface RequestReport {
  /** All events together. */
  readonly all: EventStats;
  readonly events: readonly EventStats[];
  /** The most recent failures, newest first. */
  readonly failures: readonly FailedRequest[];
}

const TICK = 1000;
const KEPT = 0.8;
/** Collecting stops after this time without a read, in milliseconds. */
const IDLE = 60_000;
/** Events of their own that are not known: workers that serve every event take any name. */
const MAX_UNKNOWN = 500;
const MAX_FAILURES = 50;
/** Characters of a message that are kept. */
const MAX_DETAIL = 300;
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

  /** @param weight faded count that corresponds to one request per second. */
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
  /** Number of entries of events that are not known. */
  private unknown = 0;
  /**
   * Faded count that corresponds to one request per second; grows from 0 towards TICK / (1 - KEPT).
   */
  private weight = 0;
  private lastTick = 0;
  private lastRead = 0;
  private cancelTick: Cancel | undefined;

  /**
   * @param node name of the node; includes all nodes of its kind while it returns undefined.
   * @param isKnown whether an event has an entry of its own although none of its requests was dispatched.
   */
  constructor(
    private readonly kind: NodeKind,
    private readonly node: () => string | undefined,
    private readonly isKnown: (eventName: string) => boolean,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Returns the current statistics and starts collecting if necessary. */
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

  /** Stops collecting and discards all statistics. */
  close(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    diagnostics.requestSettled.unsubscribe(this.settled);
    this.events.clear();
    this.failed.clear();
    this.all = new RecentRequests();
    this.unknown = 0;
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
    const { eventName: event, code, detail = '', requestId } = settled;
    const message = detail === '' ? {} : { detail: detail.slice(0, MAX_DETAIL) };
    this.failed.push({ at: this.clock.wall(), event, code, ...message, requestId });
    if (this.failed.length > MAX_FAILURES) this.failed.shift();
  };

  /**
   * Each known event has an entry. Other events share one at a router unless a worker takes them,
   * because clients can make up any number of names.
   */
  private at({ eventName, dispatched }: RequestSettled): RecentRequests {
    const known = this.events.get(eventName);
    if (known !== undefined) return known;
    const isKnown = this.isKnown(eventName);
    const own = isKnown || (dispatched && this.unknown < MAX_UNKNOWN);
    if (own && !isKnown) this.unknown += 1;
    const name = own ? eventName : OTHER;
    let lately = this.events.get(name);
    if (lately === undefined) {
      lately = new RecentRequests();
      this.events.set(name, lately);
    }
    return lately;
  }
}
