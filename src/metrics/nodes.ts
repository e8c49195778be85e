/** Metrics of nodes and their connections: workers, heartbeats, batches and dropped messages. */
import {
  diagnostics,
  LEAVE_REASONS,
  type NodeKind,
  REFUSAL_CAUSES,
  RELOADED_KINDS,
} from '../core/observability/diagnostics.ts';
import { Histogram, RECORDS, SIZES } from '../core/observability/histogram.ts';
import { family, type Sample } from './family.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Counters by one or two labels with a fixed set of values. */
class Counts {
  private readonly counts = new Map<
    string,
    { readonly labels: Readonly<Record<string, string>>; count: number }
  >();

  /** @param change 0 for a counter that starts to be reported before anything is counted. */
  add(labels: Readonly<Record<string, string>>, change = 1): void {
    const key = Object.values(labels).join(' ');
    const known = this.counts.get(key);
    if (known === undefined) this.counts.set(key, { labels, count: change });
    else known.count += change;
  }

  *samples(): IterableIterator<Sample> {
    for (const { labels, count } of this.counts.values()) yield [labels, count];
  }
}

/** Batches sent by one kind of node. */
class BatchSeries {
  readonly records = new Histogram(RECORDS);
  readonly bytes = new Histogram(SIZES);
}

export class NodeMetrics {
  private joined = 0;
  private readonly left = new Counts();
  private readonly missed = new Counts();
  private readonly lost = new Counts();
  private readonly reconnects = new Counts();
  private readonly dropped = new Counts();
  private readonly refused = new Counts();
  private readonly reloads = new Counts();
  private readonly batches = new Map<string, BatchSeries>();

  constructor(subscriptions: Subscriptions) {
    subscriptions.add(diagnostics.workerJoined, () => {
      this.joined += 1;
    });
    subscriptions.add(diagnostics.lifecycle, ({ kind, to }) => {
      if (to === 'running') this.startAtZero(kind);
    });
    subscriptions.add(diagnostics.workerRefused, ({ cause }) => this.refused.add({ cause }));
    for (const what of RELOADED_KINDS)
      for (const result of ['ok', 'failed']) this.reloads.add({ what, result }, 0);
    subscriptions.add(diagnostics.fileReloaded, ({ what, ok }) => {
      this.reloads.add({ what, result: ok ? 'ok' : 'failed' });
    });
    subscriptions.add(diagnostics.workerLeft, ({ reason }) => this.left.add({ reason }));
    subscriptions.add(diagnostics.heartbeatMissed, ({ peerType: peer }) => this.missed.add({ peer }));
    subscriptions.add(diagnostics.heartbeatLost, ({ peerType: peer }) => this.lost.add({ peer }));
    subscriptions.add(diagnostics.reconnect, ({ kind }) => this.reconnects.add({ kind }));
    subscriptions.add(diagnostics.frameDropped, ({ kind, cause }) => this.dropped.add({ kind, cause }));
    subscriptions.add(diagnostics.batchSent, ({ kind, records, bytes }) => {
      const series = this.batchesOf(kind);
      series.records.add(records);
      series.bytes.add(bytes);
    });
  }

  /** The metrics. */
  families() {
    return [
      family('workers_joined_total', () => [[{}, this.joined]]),
      family('workers_left_total', () => this.left.samples()),
      family('workers_refused_total', () => this.refused.samples()),
      family('reloads_total', () => this.reloads.samples()),
      family('heartbeats_missed_total', () => this.missed.samples()),
      family('heartbeats_lost_total', () => this.lost.samples()),
      family('reconnects_total', () => this.reconnects.samples()),
      family('frames_dropped_total', () => this.dropped.samples()),
      family('batch_records', () => this.batchSamples(({ records }) => records)),
      family('batch_bytes', () => this.batchSamples(({ bytes }) => bytes)),
    ];
  }

  /**
   * Counters of a node whose labels are known appear with its start. `increase()` and `rate()` ignore
   * the value with which a series appears.
   */
  private startAtZero(kind: NodeKind): void {
    if (kind === 'client' || kind === 'worker') this.reconnects.add({ kind }, 0);
    if (kind !== 'router') return;
    for (const reason of LEAVE_REASONS) this.left.add({ reason }, 0);
    for (const cause of REFUSAL_CAUSES) this.refused.add({ cause }, 0);
    for (const peer of ['client', 'worker']) {
      this.missed.add({ peer }, 0);
      this.lost.add({ peer }, 0);
    }
  }

  private batchesOf(kind: string): BatchSeries {
    let series = this.batches.get(kind);
    if (series === undefined) {
      series = new BatchSeries();
      this.batches.set(kind, series);
    }
    return series;
  }

  private *batchSamples(of: (series: BatchSeries) => Histogram): IterableIterator<Sample> {
    for (const [kind, series] of this.batches) yield [{ kind }, of(series)];
  }
}
