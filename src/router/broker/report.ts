/** Reports of the router's workers and events, for operators. */
import type {
  BreakerReport,
  EventReport,
  VersionReport,
  WorkerReport,
  WorkerState,
} from '../../core/observability/reports.ts';
import type { Broker } from './broker.ts';
import { EventState, type Group } from './event-state.ts';
import { sharesOf } from './releases.ts';
import type { Worker } from './worker.ts';

/** Returns the heartbeat report of a worker by its identity. */
export type HeartbeatOf = (worker: string) => WorkerReport['heartbeat'];

/** The workers of a broker, in the order in which they joined. @param now on the broker's clock. */
export function workerReports(broker: Broker, now: number, heartbeatOf: HeartbeatOf): WorkerReport[] {
  return Array.from(broker.workers, (worker) => {
    const { id, name, cancels, events = null, concurrency, held: inFlight, since } = worker;
    const heartbeat = heartbeatOf(id);
    return {
      id,
      name,
      state: stateOf(worker),
      classic: !cancels,
      events,
      concurrency,
      inFlight,
      age: now - since,
      breakers: breakersOf(worker),
      heartbeat,
      oldest: oldestOf(worker, now),
      ...worker.port.describe?.(),
    };
  });
}

/** The request that a worker holds for the longest time. */
function oldestOf({ holding: { first } }: Worker, now: number): WorkerReport['oldest'] {
  if (first === undefined) return null;
  const { eventName: event, requestId } = first.message;
  return { event, requestId, heldFor: Math.max(0, now - first.dispatchedAt) };
}

/** Maximum number of events without workers in a report. */
const MAX_PAST = 1000;

/** The events of a broker, and those whose workers left, sorted by name. */
export function eventReports(broker: Broker): EventReport[] {
  const { events: known, past } = broker.eventTable;
  const events = Array.from(known.values(), (event) => eventReport(broker, event));
  for (const name of past.latest(MAX_PAST))
    if (!known.has(name)) events.push(eventReport(broker, new EventState(name)));
  return events.sort((a, b) => (a.name < b.name ? -1 : 1));
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
    left: unannounced && broker.eventTable.past.has(name),
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
