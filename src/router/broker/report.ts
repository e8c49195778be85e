/** What a router tells of its workers and events when it is asked. */
import type {
  BreakerReport,
  EventReport,
  WorkerReport,
  WorkerState,
} from '../../core/observability/reports.ts';
import type { Broker } from './broker.ts';
import type { EventState } from './event-table.ts';
import type { Worker } from './worker.ts';

/** Heartbeats of a worker by its identity. */
export type HeartbeatOf = (worker: string) => WorkerReport['heartbeat'];

/** The workers of a core, in the order they came. @param now on the core's clock. */
export function workerReports(core: Broker, now: number, heartbeatOf: HeartbeatOf): WorkerReport[] {
  return Array.from(core.workers, (worker) => {
    const { id, cancels, events = null, concurrency, held, since } = worker;
    const heartbeat = heartbeatOf(id);
    return {
      id,
      state: stateOf(worker),
      classic: !cancels,
      events,
      concurrency,
      held,
      age: now - since,
      breakers: breakersOf(worker),
      heartbeat,
    };
  });
}

/** The events of a core, by name. */
export function eventReports(core: Broker): EventReport[] {
  return Array.from(core.events, (event) => eventReport(core, event)).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

function eventReport(core: Broker, { name, stray, queue, groups }: EventState): EventReport {
  let [workers, tripped] = [0, 0];
  for (const group of groups) {
    workers += group.workers.size;
    if (group.tripped === 0) continue;
    for (const { breakers } of group.workers)
      if ((breakers?.get(name)?.state ?? 'closed') !== 'closed') tripped++;
  }
  return {
    name,
    announced: !stray,
    queued: queue.length,
    queuedBytes: queue.bytes,
    workers,
    paused: core.isPaused(name),
    breaker: core.breakers?.stateOf(name) ?? 'closed',
    tripped,
  };
}

/** The circuit breakers of a worker that are not closed. */
function breakersOf({ tripped, breakers }: Worker): BreakerReport[] {
  const open: BreakerReport[] = [];
  if (tripped === 0 || breakers === undefined) return open;
  for (const [event, { state }] of breakers) if (state !== 'closed') open.push({ event, state });
  return open;
}

function stateOf(worker: Worker): WorkerState {
  if (worker.draining || worker.suspended) return 'draining';
  if (worker.blocked) return 'blocked';
  if (worker.unresponsive) return 'unresponsive';
  if (worker.resting) return 'resting';
  return worker.held < worker.concurrency ? 'ready' : 'busy';
}
