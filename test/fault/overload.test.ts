/**
 * Fault: for some seconds more is asked than the workers can run, then less again. First come, first served, each request
 * would reach a worker with hardly any time left: nothing would succeed, and nothing would again after the load dropped.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ZeroMQClient } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';
import { outcomesOf, type PendingRequest, Scene } from './scene.ts';

failOnLeftovers();

const WORKERS = 3;
const CONCURRENCY = 4;

/** How long a handler runs, and the time that a request is allowed, in ms. */
const TIME = 100;
const TIMEOUT = 1500;

/** Requests a second that the workers can run when nothing slows them down. */
const NOMINAL = (WORKERS * CONCURRENCY * 1000) / TIME;

/** How long each load lasts, in ms. The backlog of the overload reaches the timeout after less than half of its time. */
const OVERLOAD = 10_000;
const RECOVERY = 5000;

/** From then on after the load dropped everything succeeds, in ms. */
const RECOVERED = 2000;

/** How long the capacity is measured, in ms. */
const MEASURED = 1500;

interface Sent {
  /** When, in ms since the load began. */
  readonly at: number;
  readonly asking: PendingRequest;
}

class Load {
  /** Requests that succeeded since the last call of `send`. */
  succeeded = 0;

  constructor(
    private readonly scene: Scene,
    private readonly client: ZeroMQClient,
  ) {}

  /** Requests that the workers settle in a second, asked by as many callers as they run requests at a time. */
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

  /** Sends `rate` requests a second for `duration` ms, whatever comes of them. */
  async send(rate: number, duration: number): Promise<Sent[]> {
    const sent: Sent[] = [];
    this.succeeded = 0;
    const start = performance.now();
    for (let at = 0; at < duration; at = performance.now() - start) {
      while (sent.length < (at / 1000) * rate) sent.push({ at, asking: this.ask() });
      await sleep(5);
    }
    return sent;
  }

  private ask(): PendingRequest {
    const asking = this.scene.send(this.client, 'post', { time: TIME, timeout: TIMEOUT });
    void asking.settled.then(({ code }) => {
      if (code === '') this.succeeded += 1;
    });
    return asking;
  }
}

describe('load above the capacity of the workers', () => {
  it('leaves their goodput as it was, and nothing fails from 2 s after the load dropped', async (t) => {
    const scope = scopeOf(t);
    const scene = new Scene(scope);
    const { router, frontend, backend: connection } = await startRouter(scope);
    for (let at = 0; at < WORKERS; at += 1)
      await scene.worker(router, { connection, concurrency: CONCURRENCY });
    const load = new Load(scene, await connectClient(scope, frontend));
    const before = await load.capacity();
    // More than the workers can run on an idle machine: where other work slows them down, their measured capacity is
    // lower than what they can run a moment later.
    const over = await load.send(1.3 * NOMINAL, OVERLOAD);
    // Other work on the machine may slow the workers down meanwhile.
    const now = Math.min(before, load.succeeded / (OVERLOAD / 1000));
    const after = await load.send(now * 0.6, RECOVERY);
    const late = after.filter(({ at }) => at >= RECOVERED);
    assert.deepEqual(new Set(await outcomesOf(late.map(({ asking }) => asking))), new Set(['ok']));
    await outcomesOf(after.map(({ asking }) => asking));

    const outcomes = await outcomesOf(over.map(({ asking }) => asking));
    const good = outcomes.filter((outcome) => outcome === 'ok').length;
    const ran = outcomes.filter((outcome) => outcome !== 'EXPIRED').length;
    assert.ok(ran < outcomes.length, 'the load was not above the capacity');
    assert.ok(good >= ran * 0.85, `${good} of ${ran} requests that workers were given succeeded`);
    const capacity = (Math.min(before, await load.capacity()) * OVERLOAD) / 1000;
    assert.ok(good >= capacity * 0.85, `${good} of ${capacity} requests that workers can run succeeded`);
    scene.assertGuarantees();
  });
});
