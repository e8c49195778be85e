/** Metrics in the form of prom-client, computed on each scrape. */
import type { Metric } from 'prom-client';
import { Histogram } from '../core/observability/histogram.ts';
import { fullName, METRICS, type MetricDefinition, type MetricName } from './catalogue.ts';

type Labels = Readonly<Record<string, string>>;

/** A value and its labels. */
export type Sample = readonly [labels: Labels, value: number | Histogram];

/** One line of a scrape. */
interface Line {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  readonly metricName?: string;
}

/** A metric in the form that processes exchange. */
export interface MetricReading {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: Line[];
}

/**
 * Creates a metric that is read on each scrape.
 *
 * @param read returns all its samples.
 */
export function family(name: MetricName, read: () => Iterable<Sample>): Metric {
  const { type, help, aggregate = 'sum' }: MetricDefinition = METRICS[name];
  const full = fullName(name);
  const get = (): Promise<MetricReading> => {
    const values = [...read()].flatMap((sample) => linesOf(full, sample));
    return Promise.resolve({ name: full, help, type, aggregator: aggregate, values });
  };
  // A registry uses no other members of its metrics.
  return { name: full, get } as unknown as Metric;
}

function linesOf(name: string, [labels, value]: Sample): Line[] {
  if (!(value instanceof Histogram)) return [{ labels, value }];
  const lines: Line[] = [];
  for (const [bound, count] of value.buckets()) {
    const le = bound === Infinity ? '+Inf' : bound;
    lines.push({ labels: { le, ...labels }, value: count, metricName: `${name}_bucket` });
  }
  lines.push({ labels, value: value.sum * value.scale.factor, metricName: `${name}_sum` });
  lines.push({ labels, value: value.count, metricName: `${name}_count` });
  return lines;
}
