/** The history of the dashboard. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventStats } from '../../../../src/core/observability/request-stats.ts';
import { HISTORY_SPAN, HISTORY_STEP, History } from '../../../../src/gateway/admin/history.ts';
import type { Snapshot } from '../../../../src/gateway/admin/index.ts';

function stats(event: string, rate: number, failed: number, p99: number | null): EventStats {
  return { event, rate, failed, p50: p99 === null ? null : p99 / 2, p99, requests: 1, failures: 0 };
}

function snapshot(at: number, parts: Partial<Record<'gateways' | 'routers', unknown>> = {}): Snapshot {
  return { at, gateways: [], routers: [], ...parts } as unknown as Snapshot;
}

describe('history of the dashboard', () => {
  it('history: adds the rates of gateways, and takes their longest durations', () => {
    const gateway = (all: EventStats, ...events: EventStats[]) => ({ requests: { all, events } });
    const router = (queued: number) => ({
      totals: { queued },
      events: [{ name: 'stock.get', queued }],
      requests: { all: stats('', 999, 0, 1), events: [] },
    });
    const point = new History().add(
      snapshot(1000, {
        gateways: [
          gateway(stats('', 30, 0, 8), stats('stock.get', 30, 0, 8)),
          gateway(stats('', 10, 0.4, 20), stats('stock.get', 10, 0.4, null)),
        ],
        routers: [router(2), router(3)],
      }),
    );
    assert.deepEqual(point, {
      at: 1000,
      all: [40, 10, 20, 0.1, 5],
      events: { 'stock.get': [40, 4, 8, 0.1, 5] },
    });
  });

  it('history: without gateways, has the figures of routers', () => {
    const requests = { all: stats('', 1234.5, 0, 3), events: [] };
    const point = new History().add(
      snapshot(0, { routers: [{ totals: { queued: 0 }, events: [], requests }] }),
    );
    assert.deepEqual(point?.all, [1230, 1.5, 3, 0, 0]);
  });

  it('history: has a point each 5 s, of the last 15 minutes', () => {
    const history = new History();
    for (let at = 0; at <= 2 * HISTORY_SPAN; at += 1000) history.add(snapshot(at));
    const { points } = history;
    assert.equal(points.length, HISTORY_SPAN / HISTORY_STEP);
    assert.equal(points.at(-1)?.at, 2 * HISTORY_SPAN);
    assert.equal(points[0]?.at, HISTORY_SPAN + HISTORY_STEP);
  });

  it('history: keeps the 100 events with the most requests', () => {
    const events = Array.from({ length: 150 }, (_, index) => stats(`e${index}`, index, 0, 1));
    const requests = { all: stats('', 1, 0, 1), events };
    const point = new History().add(
      snapshot(0, { routers: [{ totals: { queued: 0 }, events: [], requests }] }),
    );
    assert.equal(Object.keys(point?.events ?? {}).length, 100);
    assert.ok('e149' in (point?.events ?? {}) && !('e49' in (point?.events ?? {})));
  });
});
