/** Load of workers, for autoscalers. */
import type { RouterReport } from '../core/observability/reports.ts';
import type { Sample } from './family.ts';

/** Event label of all events of a contract. */
const ALL = '*';

interface Load {
  readonly contract: string;
  readonly event: string;
  held: number;
  queued: number;
  concurrency: number;
}

/**
 * (held + queued) / concurrency of the workers of each contract, by event and for all its events.
 * Workers without a contract have an empty contract label. While an event has queued requests and no
 * worker, its concurrency counts as 1, so that an autoscaler starts one.
 *
 * @param reports reports of the routers of a process.
 * @param labelOf returns the label of an event.
 */
export function* loads(
  reports: readonly RouterReport[],
  labelOf: (event: string) => string,
): IterableIterator<Sample> {
  const sums = new Map<string, Load>();
  const at = (contract: string, event: string): Load => {
    const key = JSON.stringify([contract, event]);
    let load = sums.get(key);
    if (load === undefined) sums.set(key, (load = { contract, event, held: 0, queued: 0, concurrency: 0 }));
    return load;
  };
  for (const report of reports) addReport(report, labelOf, at);
  for (const { contract, event, held, queued, concurrency } of sums.values()) {
    yield [{ contract, event }, (held + queued) / Math.max(1, concurrency)];
  }
}

function addReport(
  { workers, events }: RouterReport,
  labelOf: (event: string) => string,
  at: (contract: string, event: string) => Load,
): void {
  /** Contracts whose workers serve an event. */
  const contracts = new Map<string, Set<string>>();
  for (const { contract = '', events: served, inFlight, concurrency } of workers) {
    const labels = new Set([ALL, ...(served ?? []).map(labelOf)]);
    for (const event of labels) {
      const load = at(contract, event);
      load.held += inFlight;
      load.concurrency += concurrency;
    }
    for (const event of served ?? []) {
      const known = contracts.get(event);
      if (known === undefined) contracts.set(event, new Set([contract]));
      else known.add(contract);
    }
  }
  for (const { name, announced, left, queued } of events) {
    if (queued === 0 || !(announced || left === true)) continue;
    for (const contract of contracts.get(name) ?? ['']) {
      at(contract, labelOf(name)).queued += queued;
      at(contract, ALL).queued += queued;
    }
  }
}
