/** A flood leaves the latency of others as it was: in virtual time, so that the figures are the same everywhere. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClient, type FakeWorker, System } from './fixture.ts';

/** Each handler takes so long, in virtual ms. */
const SERVICE = 20;
const CONCURRENCY = 4;
/** Requests that a flood keeps waiting: alone, the last one of a plain FIFO would wait for 25 s. */
const FLOOD = 5000;
const ROUNDS = 100;

/** Who floods, beside the one who asks one request after the other of the event `quiet`. */
interface Flood {
  readonly eventName: string;
  readonly client: FakeClient;
}

/** Mean and longest latency of the one who asks quietly, in virtual ms. */
function latencies(floods: readonly Flood[], quiet: FakeClient): { mean: number; longest: number } {
  const system = new System();
  const worker = system.worker({ events: ['quiet', 'loud'], concurrency: CONCURRENCY });
  const busyUntil = new Map<number, number>();
  const taken: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { eventName, client } of floods) {
      while (system.core.stats().queued < FLOOD) system.submit({ eventName, timeLeft: 1e6 }, client);
    }
    const start = system.now;
    const pending = system.submit({ eventName: 'quiet', timeLeft: 1e6 }, quiet);
    while (pending.state !== 'settled') {
      serve(system, worker, busyUntil);
      system.now += 1;
    }
    taken.push(system.now - start);
  }
  const mean = taken.reduce((sum, time) => sum + time, 0) / taken.length;
  return { mean, longest: Math.max(...taken) };
}

/** Replies to what has run for long enough. */
function serve(system: System, worker: FakeWorker, busyUntil: Map<number, number>): void {
  for (const sent of [...worker.open]) {
    const until = busyUntil.get(sent.id) ?? system.now + SERVICE;
    busyUntil.set(sent.id, until);
    if (until > system.now) continue;
    busyUntil.delete(sent.id);
    worker.open.splice(worker.open.indexOf(sent), 1);
    worker.replyTo(sent);
  }
}

describe('a flood', () => {
  const quiet = new FakeClient();
  const alone = latencies([], quiet);
  const cases: readonly [string, readonly Flood[]][] = [
    ['on another event, from the same client', [{ eventName: 'loud', client: quiet }]],
    ['on the same event, from another client', [{ eventName: 'quiet', client: new FakeClient() }]],
    ['on another event, from another client', [{ eventName: 'loud', client: new FakeClient() }]],
  ];
  for (const [what, floods] of cases) {
    it(`${what} costs others a turn at the most: a place that comes free, not the queue`, () => {
      const flooded = latencies(floods, quiet);
      const turn = SERVICE + CONCURRENCY;
      assert.ok(
        flooded.longest <= alone.longest + turn,
        `${alone.longest} ms alone, ${flooded.longest} ms beside it`,
      );
      assert.ok(flooded.mean <= alone.mean * 2, `mean ${alone.mean} ms alone, ${flooded.mean} ms beside it`);
    });
  }
});
