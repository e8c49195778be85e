/** Metrics of HTTP requests, by route. */
import { diagnostics, type HttpAnswered } from '../core/observability/diagnostics.ts';
import { Histogram, TIMES } from '../core/observability/histogram.ts';
import { family, type Sample } from './family.ts';
import { BoundedTable, OTHER } from './labels.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Maximum number of routes with a label of their own. */
const MAX_ROUTES = 500;

/** Label of requests that match no route. */
const NO_ROUTE = 'none';

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'QUERY',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);

/** Requests of one route and method. */
class MethodSeries {
  readonly statuses = new Map<number, number>();
  readonly times = new Histogram(TIMES);
}

export class HttpMetrics {
  private readonly routes = new BoundedTable(MAX_ROUTES, () => new Map<string, MethodSeries>());

  constructor(subscriptions: Subscriptions) {
    subscriptions.add(diagnostics.httpAnswered, (answered) => this.answered(answered));
  }

  /** The metrics. */
  families() {
    return [
      family('http_requests_total', () => this.counts()),
      family('http_request_seconds', () => this.times()),
    ];
  }

  private answered({ method: given, route, status, duration }: HttpAnswered): void {
    const methods = this.routes.at(route === '' ? NO_ROUTE : route);
    const method = METHODS.has(given) ? given : OTHER;
    let series = methods.get(method);
    if (series === undefined) {
      series = new MethodSeries();
      methods.set(method, series);
    }
    series.statuses.set(status, (series.statuses.get(status) ?? 0) + 1);
    series.times.add(duration);
  }

  private *series(): IterableIterator<readonly [route: string, method: string, series: MethodSeries]> {
    for (const [route, methods] of this.routes) {
      for (const [method, series] of methods) yield [route, method, series];
    }
  }

  private *counts(): IterableIterator<Sample> {
    for (const [route, method, { statuses }] of this.series()) {
      for (const [status, count] of statuses) yield [{ method, route, status: String(status) }, count];
    }
  }

  private *times(): IterableIterator<Sample> {
    for (const [route, method, { times }] of this.series()) yield [{ method, route }, times];
  }
}
