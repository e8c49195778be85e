/** Reports of the router's workers and events, for operators. */
import type {
  BreakerReport,
  EventReport,
  VersionReport,
  WorkerReport,
  WorkerState,
} from '../../core/observability/reports.ts';
import type { Broker } from './broker.ts';
import type { EventState, Group } from './event-state.ts';
import { sharesOf } from './releases.ts';
import type { Worker } from './worker.ts';

/** Returns the heartbeat report of a worker by its identity. */
export type HeartbeatOf = (worker: string) => WorkerReport['heartbeat'];

/** The workers of a broker, in the order in which they joined. @param now on the broker's clock. */
export function workerReports(broker: Broker, now: number, heartbeatOf: HeartbeatOf): WorkerReport[] {
  return Array.from(broker.workers, (worker) => {
    const { id, cancels, events = null, concurrency, held: inFlight, since } = worker;
    const heartbeat = heartbeatOf(id);
    return {
      id,
      state: stateOf(worker),
      classic: !cancels,
      events,
      concurrency,
      inFlight,
      age: now - since,
      breakers: breakersOf(worker),
      heartbeat,
    };
  });
}

/** The events of a broker, sorted by name. */
export function eventReports(broker: Broker): EventReport[] {
  return Array.from(broker.events, (event) => eventReport(broker, event)).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

function eventReport(broker: Broker, { name, unannounced, queue, groups }: EventState): EventReport {
  let [workers, tripped] = [0, 0];
  for (const group of groups) {
    workers += group.workers.size;
    if (group.tripped === 0) continue;
    for (const { breakers } of group.workers)
      if ((breakers?.get(name)?.state ?? 'closed') !== 'closed') tripped++;
  }
  return {
    name,
    announced: !unannounced,
    queued: queue.length,
    queuedBytes: queue.bytes,
    workers,
    paused: broker.isPaused(name),
    breaker: broker.breakers?.stateOf(name) ?? 'closed',
    tripped,
    versions: versionsOf(groups),
  };
}

/** The versions of an event, if a worker announces one. */
function versionsOf(groups: readonly Group[]): VersionReport[] {
  if (groups.every(({ release }) => release === undefined)) return [];
  const shares = sharesOf(groups);
  const releases = [...new Set(groups.map(({ release }) => release))];
  return releases.map((release) => {
    const own = groups.filter((group) => group.release === release);
    return {
      contract: release?.contract ?? '',
      version: release?.version ?? null,
      workers: own.reduce((sum, { workers }) => sum + workers.size, 0),
      share: shares?.get(release) ?? null,
    };
  });
}

/** The circuit breakers of a worker that are not closed. */
function breakersOf({ tripped, breakers }: Worker): BreakerReport[] {
  const open: BreakerReport[] = [];
  if (tripped === 0 || breakers === undefined) return open;
  for (const [event, { state }] of breakers) if (state !== 'closed') open.push({ event, state });
  return open;
}

function stateOf(worker: Worker): WorkerState {
  if (worker.draining || worker.drainedByOperator) return 'draining';
  if (worker.blocked) return 'blocked';
  if (worker.unresponsive) return 'unresponsive';
  if (worker.suspended) return 'suspended';
  return !worker.isFull ? 'ready' : 'busy';
}
