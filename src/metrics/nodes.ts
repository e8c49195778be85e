/** Metrics of nodes and their connections: workers, heartbeats, batches and dropped messages. */
import { diagnostics } from '../core/observability/diagnostics.ts';
import { Histogram, RECORDS, SIZES } from '../core/observability/histogram.ts';
import { family, type Sample } from './family.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Counters by one or two labels with a fixed set of values. */
class Counts {
  private readonly counts = new Map<
    string,
    { readonly labels: Readonly<Record<string, string>>; count: number }
  >();

  add(labels: Readonly<Record<string, string>>): void {
    const key = Object.values(labels).join(' ');
    const known = this.counts.get(key);
    if (known === undefined) this.counts.set(key, { labels, count: 1 });
    else known.count += 1;
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
  private readonly batches = new Map<string, BatchSeries>();

  constructor(subscriptions: Subscriptions) {
    subscriptions.add(diagnostics.workerJoined, () => {
      this.joined += 1;
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
      family('heartbeats_missed_total', () => this.missed.samples()),
      family('heartbeats_lost_total', () => this.lost.samples()),
      family('reconnects_total', () => this.reconnects.samples()),
      family('frames_dropped_total', () => this.dropped.samples()),
      family('batch_records', () => this.batchSamples(({ records }) => records)),
      family('batch_bytes', () => this.batchSamples(({ bytes }) => bytes)),
    ];
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
