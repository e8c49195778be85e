// test:all: 25 s; queue-full.test.ts and test/property/overload.test.ts represent it
/**
 * Fault: for some seconds callers send more than the workers can run, then less again. With a
 * first-come-first-served queue each request would reach a worker shortly before its deadline. All
 * would fail, also after the load has dropped.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ZeroMQClient } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { allowed } from '../helpers/patience.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';
import { outcomesOf, type PendingRequest, Scene } from './scene.ts';

failOnLeftovers();

const WORKERS = 3;
const CONCURRENCY = 4;

/** Factor by which the times grow on a slow machine. It bounds the duration of the test. */
const SLOWER = Math.min(4, allowed(1));

/** Duration of a handler, and the request timeout, in ms. */
const TIME = 100;
const TIMEOUT = Math.round(1500 * SLOWER);

/** Requests per second that the workers can run on an idle machine. */
const NOMINAL = (WORKERS * CONCURRENCY * 1000) / TIME;

/**
 * Duration of each load in ms. The backlog of the overload reaches the timeout in less than half of
 * it.
 */
const OVERLOAD = 10_000 * SLOWER;
const RECOVERY = 5000 * SLOWER;

/** Time in ms after the load dropped from which every request succeeds. */
const RECOVERED = 2000 * SLOWER;

/** Duration of the capacity measurement in ms. */
const MEASURED = 1500 * SLOWER;

interface Sent {
  /** Time in ms since the load began. */
  readonly at: number;
  readonly request: PendingRequest;
}

class Load {
  /** Requests that succeeded since the last call of `send`. */
  succeeded = 0;

  constructor(
    private readonly scene: Scene,
    private readonly client: ZeroMQClient,
  ) {}

  /**
   * Measures how many requests the workers settle per second, with as many callers as requests run
   * at a time.
   */
  async capacity(): Promise<number> {
    const start = performance.now();
    const callers = Array.from({ length: WORKERS * CONCURRENCY }, async () => {
      let settled = 0;
      while (performance.now() - start < MEASURED) {
        await this.ask().settled;
        settled += 1;
      }
      return settled;
    });
    const settled = await Promise.all(callers);
    return (settled.reduce((sum, each) => sum + each, 0) / (performance.now() - start)) * 1000;
  }

  /** Sends `rate` requests per second for `duration` ms, regardless of their outcomes. */
  async send(rate: number, duration: number): Promise<Sent[]> {
    const sent: Sent[] = [];
    this.succeeded = 0;
    const start = performance.now();
    for (let at = 0; at < duration; at = performance.now() - start) {
      while (sent.length < (at / 1000) * rate) sent.push({ at, request: this.ask() });
      await sleep(5);
    }
    return sent;
  }

  private ask(): PendingRequest {
    const request = this.scene.send(this.client, 'post', { time: TIME, timeout: TIMEOUT });
    void request.settled.then(({ code }) => {
      if (code === '') this.succeeded += 1;
    });
    return request;
  }
}

describe('overload', () => {
  it('overload: the goodput of the workers stays the same, and every request succeeds from 2 s after the load dropped', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    for (let at = 0; at < WORKERS; at += 1)
      await scene.worker(router, { connection, concurrency: CONCURRENCY });
    const load = new Load(scene, await connectClient(scope, frontend));
    const before = await load.capacity();
    // More than the workers can run on an idle machine. Other work may slow them down during the
    // measurement, so that their measured capacity is too low.
    const over = await load.send(1.3 * NOMINAL, OVERLOAD);
    // Other work may slow the workers down in the meantime.
    const now = Math.min(before, load.succeeded / (OVERLOAD / 1000));
    const after = await load.send(now * 0.6, RECOVERY);
    const late = after.filter(({ at }) => at >= RECOVERED);
    assert.deepEqual(new Set(await outcomesOf(late.map(({ request }) => request))), new Set(['ok']));
    await outcomesOf(after.map(({ request }) => request));

    const outcomes = await outcomesOf(over.map(({ request }) => request));
    const good = outcomes.filter((outcome) => outcome === 'ok').length;
    const ran = outcomes.filter((outcome) => outcome !== 'EXPIRED').length;
    assert.ok(ran < outcomes.length, 'the load did not exceed the capacity');
    assert.ok(good >= ran * 0.85, `${good} of the ${ran} requests sent to workers succeeded`);
    const capacity = (Math.min(before, await load.capacity()) * OVERLOAD) / 1000;
    assert.ok(good >= capacity * 0.85, `${good} requests succeeded; the workers can run ${capacity}`);
    scene.assertGuarantees();
  });
});
