/**
 * A clock that sends its ticks as they happen: as server-sent events, or as lines of JSON.
 *
 *     zeromq-gateway worker workers/clock.ts --router tcp://127.0.0.1:5556
 */
import { setInterval } from 'node:timers/promises';
import { defineWorker, event } from 'zeromq-gateway';
import contract, { type Tick } from '../openapi/clock.ts';

/** Yields ticks until the caller goes away. The first one comes at once. */
async function* ticksFrom(first: number, interval: number, signal: AbortSignal): AsyncGenerator<Tick> {
  let n = first;
  yield { n, at: new Date().toISOString() };
  for await (const _ of setInterval(interval, undefined, { signal })) {
    n += 1;
    yield { n, at: new Date().toISOString() };
  }
}

export default defineWorker({
  contract,
  handlers: {
    // A client that reconnects sends the id of the last event that it got.
    'clock.watch': async function* ({ interval }, { lastEventId = '0', signal }) {
      const next = (Number.parseInt(lastEventId, 10) || 0) + 1;
      for await (const tick of ticksFrom(next, interval, signal)) {
        yield event({ id: tick.n, event: 'tick', data: tick });
      }
    },
    'clock.ticks': async function* ({ interval, count }, { signal }) {
      for await (const tick of ticksFrom(1, interval, signal)) {
        yield tick;
        if (tick.n === count) return;
      }
    },
  },
});
