/** What several routers or gateways say of one event, as one. */

const larger = (a, b) => (a === null || (b !== null && b > a) ? b : a);

/** Requests of an event: rates add up, times are those of the slowest. */
function bothStats(a, b) {
  const rate = a.rate + b.rate;
  const failed = rate === 0 ? Math.max(a.failed, b.failed) : (a.failed * a.rate + b.failed * b.rate) / rate;
  return { event: a.event, rate, failed, p50: larger(a.p50, b.p50), p99: larger(a.p99, b.p99) };
}

/** An event of two routers, which mostly have the same workers: what waits adds up. */
function bothEvents(a, b) {
  return {
    name: a.name,
    queued: a.queued + b.queued,
    workers: Math.max(a.workers, b.workers),
    paused: a.paused || b.paused,
    tripped: Math.max(a.tripped ?? 0, b.tripped ?? 0),
    breaker: [a, b].map(({ breaker }) => breaker).find((state) => state && state !== 'closed') ?? 'closed',
  };
}

function gather(lists, keyOf, both) {
  const all = new Map();
  for (const one of lists.flat()) {
    const before = all.get(keyOf(one));
    all.set(keyOf(one), before === undefined ? one : both(before, one));
  }
  return all;
}

/** @param reports request reports; gives a map by event */
export const statsOf = (reports) =>
  gather(
    reports.map(({ events }) => events),
    ({ event }) => event,
    bothStats,
  );

export const eventsOf = (routers) =>
  gather(
    routers.map(({ events }) => events),
    ({ name }) => name,
    bothEvents,
  );
