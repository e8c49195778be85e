/**
 * telemetry: export of traces and metrics over OTLP, with the optional packages of OpenTelemetry.
 *
 * Converts the metrics of a process to the form of the OpenTelemetry SDK.
 */
import type * as Sdk from '@opentelemetry/sdk-metrics';
import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { typeOfValues } from '../../core/observability/span-export.ts';
import type { Readings } from '../../metrics/index.ts';

type Reading = Readings[number];
type Line = Reading['values'][number];
type Time = [seconds: number, nanoseconds: number];

/** The members of the SDK that a conversion needs. */
type Kinds = Pick<typeof Sdk, 'AggregationTemporality' | 'DataPointType'>;

/** A series of a histogram. */
interface Series {
  readonly attributes: Line['labels'];
  readonly boundaries: number[];
  /** Cumulative, as in Prometheus. */
  readonly upTo: number[];
  sum: number;
  count: number;
}

/**
 * Converts readings. Names and labels are those of the Prometheus metrics.
 *
 * @param since start of the process, in milliseconds since 1970.
 * @param now time of the readings.
 */
export function scopeMetrics(readings: Readings, kinds: Kinds, since: number, now: number): ScopeMetrics {
  return {
    scope: { name: 'zeromq-gateway' },
    metrics: readings.map((reading) => metricOf(reading, kinds, timeOf(since), timeOf(now))),
  };
}

function metricOf(reading: Reading, kinds: Kinds, startTime: Time, endTime: Time): MetricData {
  const { name, help: description, type, values } = reading;
  const { AggregationTemporality, DataPointType } = kinds;
  const common = { aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const descriptor = { name, description, unit: '', valueType: typeOfValues() };
  const times = { startTime, endTime };
  if (type === 'histogram') {
    return {
      ...common,
      descriptor,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: seriesOf(values).map(({ attributes, boundaries, upTo, sum, count }) => {
        const counts = upTo.map((value, index) => value - (upTo[index - 1] ?? 0));
        const buckets = { boundaries, counts: [...counts, count - (upTo.at(-1) ?? 0)] };
        return { ...times, attributes, value: { buckets, sum, count } };
      }),
    };
  }
  const dataPoints = values.map(({ labels: attributes, value }) => ({ ...times, attributes, value }));
  if (type === 'counter') {
    return { ...common, descriptor, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  }
  return { ...common, descriptor, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** Gathers the lines of a histogram by their labels. */
function seriesOf(lines: readonly Line[]): Series[] {
  const all = new Map<string, Series>();
  for (const { labels, value, metricName = '' } of lines) {
    const { le, ...attributes } = labels;
    const key = JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const series = all.get(key) ?? { attributes, boundaries: [], upTo: [], sum: 0, count: 0 };
    all.set(key, series);
    if (metricName.endsWith('_sum')) series.sum = value;
    else if (metricName.endsWith('_count')) series.count = value;
    else if (le !== undefined && le !== '+Inf') {
      series.boundaries.push(Number(le));
      series.upTo.push(value);
    }
  }
  return [...all.values()];
}

function timeOf(milliseconds: number): Time {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}
