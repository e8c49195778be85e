/** Combines the statistics of several routers or gateways by event. */

const larger = (a, b) => (a === null || (b !== null && b > a) ? b : a);

/** Combines request statistics: adds rates, and takes the longest times. */
function addStats(a, b) {
  const rate = a.rate + b.rate;
  const failed = rate === 0 ? Math.max(a.failed, b.failed) : (a.failed * a.rate + b.failed * b.rate) / rate;
  return { event: a.event, rate, failed, p50: larger(a.p50, b.p50), p99: larger(a.p99, b.p99) };
}

/** Combines an event of two routers: adds queued requests. The workers are usually the same. */
function addEvents(a, b) {
  return {
    name: a.name,
    queued: a.queued + b.queued,
    workers: Math.max(a.workers, b.workers),
    paused: a.paused || b.paused,
    tripped: Math.max(a.tripped ?? 0, b.tripped ?? 0),
    breaker: [a, b].map(({ breaker }) => breaker).find((state) => state && state !== 'closed') ?? 'closed',
  };
}

function combineByKey(lists, keyOf, combine) {
  const all = new Map();
  for (const one of lists.flat()) {
    const before = all.get(keyOf(one));
    all.set(keyOf(one), before === undefined ? one : combine(before, one));
  }
  return all;
}

/** The request statistics of all reports, by event. */
export const statsOf = (reports) =>
  combineByKey(
    reports.map(({ events }) => events),
    ({ event }) => event,
    addStats,
  );

/** The events of all routers, by name. */
export const eventsOf = (routers) =>
  combineByKey(
    routers.map(({ events }) => events),
    ({ name }) => name,
    addEvents,
  );

/** Whether a worker receives requests. */
const receives = ({ state }) => state === 'ready' || state === 'busy';

/** The events that only this worker serves. Workers without announced events serve all others. */
export function eventsOnlyOf({ routers }, id) {
  const own = new Set();
  const others = new Set();
  for (const worker of routers.flatMap(({ workers }) => workers)) {
    const served = worker.events ?? ['all unannounced events'];
    if (worker.id === id) for (const event of served) own.add(event);
    else if (receives(worker)) for (const event of served) others.add(event);
  }
  return [...own].filter((event) => !others.has(event)).sort();
}
