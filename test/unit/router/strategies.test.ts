import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashOf } from '../../../src/core/collections/hash.ts';
import { NO_BYTES } from '../../../src/core/messages/message.ts';
import {
  createStrategy,
  LeastLoadedStrategy,
  LeastRecentlyUsedStrategy,
  PowerOfTwoStrategy,
  RoundRobinStrategy,
  STRATEGIES,
  StickyStrategy,
  ZeroMQRoutingProxy,
} from '../../../src/router/strategies/index.ts';
import type { RequestView, WorkerView } from '../../../src/router/strategies/strategy.ts';
import { type FakeWorker, System } from './fixture.ts';

type Fake = { -readonly [K in keyof WorkerView]: WorkerView[K] };

const fakes = (count: number, concurrency = 64): Fake[] =>
  Array.from({ length: count }, (_, index) => {
    const id = `worker-${index}`;
    return { id, hash: hashOf(id), concurrency, held: 0, lastPicked: 0, joined: index + 1 };
  });

const request = (extras: object | undefined = undefined, eventName = 'e'): RequestView => ({
  eventName,
  requestId: '',
  idempotent: true,
  extras: extras === undefined ? NO_BYTES : Buffer.from(JSON.stringify(extras)),
});

describe('createStrategy', () => {
  it('createStrategy: creates each strategy by its name', () => {
    for (const name of STRATEGIES) assert.equal(createStrategy(name).name, name);
    assert.equal(STRATEGIES[0], 'least-loaded');
  });

  it('createStrategy: lists the allowed names in the error', () => {
    const message =
      /strategy must be one of least-loaded, round-robin, least-recently-used, power-of-two, sticky, proxy, got "fast"/;
    assert.throws(() => createStrategy('fast'), message);
    assert.throws(() => createStrategy('toString'), /got "toString"/);
  });
});

describe('LeastLoadedStrategy', () => {
  it('least-loaded: stays with one worker for a quarter of its concurrency within a turn', () => {
    const workers = fakes(5);
    const strategy = new LeastLoadedStrategy();
    for (let index = 0; index < 80; index++) {
      const picked = strategy.pick(workers, request(), 1) as Fake;
      picked.held++;
      picked.lastPicked = index + 1;
    }
    assert.deepEqual(
      workers.map(({ held }) => held),
      [16, 16, 16, 16, 16],
    );
  });

  it('least-loaded: picks equally loaded workers by their last use', () => {
    const workers = fakes(4);
    const strategy = new LeastLoadedStrategy();
    const order: string[] = [];
    for (let now = 1; now <= 8; now++) {
      const picked = strategy.pick(workers, request(), now) as Fake;
      picked.lastPicked = now;
      order.push(picked.id);
    }
    assert.equal(new Set(order.slice(0, 4)).size, 4);
    assert.deepEqual(order.slice(4), order.slice(0, 4));
  });

  it('least-loaded: compares loads as shares of the concurrency', () => {
    const [small, large] = fakes(2) as [Fake, Fake];
    small.concurrency = 4;
    small.held = 2;
    large.concurrency = 100;
    large.held = 30;
    assert.equal(new LeastLoadedStrategy().pick([small, large], request(), 1), large);
  });

  it('least-loaded: sends each request to the least loaded worker if the concurrency is small', () => {
    const workers = fakes(3, 4);
    const strategy = new LeastLoadedStrategy();
    for (let index = 0; index < 9; index++) {
      const picked = strategy.pick(workers, request(), 1) as Fake;
      picked.held++;
      picked.lastPicked = index + 1;
    }
    assert.deepEqual(
      workers.map(({ held }) => held),
      [3, 3, 3],
    );
  });
});

describe('RoundRobinStrategy', () => {
  it('round-robin: goes round in the order of joining, separately for each event', () => {
    const [a, b, c] = fakes(3) as [Fake, Fake, Fake];
    const strategy = new RoundRobinStrategy();
    const picks = [
      strategy.pick([c, a, b], request()),
      strategy.pick([b, a, c], request(undefined, 'other')),
      strategy.pick([b, c, a], request()),
      strategy.pick([a, b, c], request()),
      strategy.pick([a, b, c], request()),
      strategy.pick([a, c], request()),
      strategy.pick([c, b, a], request(undefined, 'other')),
    ];
    assert.deepEqual(
      picks.map((worker) => worker?.id.at(-1)),
      ['0', '0', '1', '2', '0', '2', '1'],
    );
  });
});

describe('LeastRecentlyUsedStrategy', () => {
  it('least-recently-used: picks the worker that was not used for longest', () => {
    const [a, b] = fakes(2) as [Fake, Fake];
    a.lastPicked = 7;
    b.lastPicked = 5;
    assert.equal(new LeastRecentlyUsedStrategy().pick([a, b]), b);
  });
});

describe('PowerOfTwoStrategy', () => {
  it('power-of-two: picks the worker with the lower latency in proportion to its requests in flight', () => {
    const [quick, slow] = fakes(2) as [Fake, Fake];
    const strategy = new PowerOfTwoStrategy();
    strategy.onReply(quick, 1, true, 0);
    strategy.onReply(slow, 10, true, 0);
    for (let index = 0; index < 20; index++) assert.equal(strategy.pick([quick, slow], request(), 1), quick);
    quick.held = 20;
    for (let index = 0; index < 20; index++) assert.equal(strategy.pick([quick, slow], request(), 1), slow);
  });

  it('power-of-two: sends an unknown worker one request and waits for its reply', () => {
    const [known, fresh] = fakes(2) as [Fake, Fake];
    const strategy = new PowerOfTwoStrategy();
    strategy.onReply(known, 5, true, 0);
    assert.equal(strategy.pick([known, fresh], request(), 1), fresh);
    fresh.held = 1;
    assert.equal(strategy.pick([known, fresh], request(), 1), known);
  });

  it('power-of-two: does not prefer a worker that fails quickly, but tries it again later', () => {
    const [good, bad] = fakes(2) as [Fake, Fake];
    const strategy = new PowerOfTwoStrategy({ decay: 1000 });
    for (let index = 0; index < 10; index++) {
      strategy.onReply(good, 5, true, index);
      strategy.onReply(bad, 1, false, index);
    }
    assert.equal(strategy.pick([good, bad], request(), 10), good);
    strategy.onReply(good, 5, true, 9000);
    assert.equal(strategy.pick([good, bad], request(), 9000), bad);
  });

  it('power-of-two: forgets workers that left', () => {
    const [a, b] = fakes(2) as [Fake, Fake];
    const strategy = new PowerOfTwoStrategy();
    strategy.onReply(a, 100, true, 0);
    strategy.onReply(b, 1, true, 0);
    strategy.onLeave(a);
    assert.equal(strategy.pick([a, b], request(), 0), a);
    assert.throws(() => new PowerOfTwoStrategy({ decay: 0 }), /decay must be above 0/);
  });
});

describe('StickyStrategy', () => {
  const keys = Array.from({ length: 2000 }, (_, index) => `user-${index}`);
  const assignKeys = (
    workers: readonly Fake[],
    strategy = new StickyStrategy(),
  ): Map<string, string | undefined> =>
    new Map(keys.map((key) => [key, strategy.pick(workers, request({ key }), 1)?.id]));

  it('sticky: keeps a key on its worker in any order of candidates', () => {
    const workers = fakes(10);
    assert.deepEqual(assignKeys(workers), assignKeys([...workers].reverse()));
  });

  it('sticky: moves only the keys of a worker that left, and spreads them', () => {
    const workers = fakes(10);
    const before = assignKeys(workers);
    const after = assignKeys(workers.slice(1));
    const moved = keys.filter((key) => before.get(key) !== after.get(key));
    assert.deepEqual(
      moved,
      keys.filter((key) => before.get(key) === 'worker-0'),
    );
    assert.ok(moved.length > 120 && moved.length < 290, `${moved.length} of 2,000 moved`);
    assert.equal(new Set(moved.map((key) => after.get(key))).size, 9);
  });

  it('sticky: spreads keys evenly', () => {
    const counts = new Map<string | undefined, number>();
    for (const id of assignKeys(fakes(10)).values()) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) assert.ok(count > 120 && count < 290, `${id} has ${count}`);
  });

  it('sticky: falls back for requests without a key and for invalid extras', () => {
    const workers = fakes(3);
    const strategy = new StickyStrategy({
      fallback: { name: 'second', pick: (candidates) => candidates[1] },
    });
    assert.equal(strategy.pick(workers, request(), 1), workers[1]);
    assert.equal(strategy.pick(workers, request({ key: 5 }), 1), workers[1]);
    const broken = { ...request(), extras: Buffer.from('{"key":') };
    assert.equal(strategy.pick(workers, broken, 1), workers[1]);
  });

  it('sticky: takes the key from a function', () => {
    const workers = fakes(10);
    const strategy = new StickyStrategy({ key: ({ eventName }) => eventName });
    const first = strategy.pick(workers, request(), 1);
    for (let index = 0; index < 20; index++) assert.equal(strategy.pick(workers, request(), index), first);
  });
});

describe('a strategy in the broker', () => {
  it('strategy: the broker falls back to a candidate and reports it if the strategy throws or picks an unknown worker', () => {
    const unknownWorker = fakes(1)[0];
    const faults: (() => WorkerView | undefined)[] = [
      () => unknownWorker,
      () => assert.fail('planted'),
      () => undefined,
    ];
    let next = 0;
    const system = new System({ strategy: { name: 'odd', pick: () => faults[next++]?.() } });
    const workers = [system.worker({ concurrency: 3 }), system.worker({ concurrency: 3 })];
    for (let index = 0; index < 3; index++) system.submit();
    assert.equal(
      workers.reduce((sum, { sent }) => sum + sent.length, 0),
      3,
    );
    assert.equal(system.core.stats().strategyFaults, 2);
    assert.deepEqual(
      system.notices.map(({ type }) => type),
      ['strategy-fault', 'strategy-fault'],
    );
  });

  it('strategy: the broker never dispatches to a worker without credit that the strategy picks', () => {
    const fixed = { name: 'fixed', pick: (): WorkerView => full.worker };
    const system = new System({ strategy: fixed });
    const full: FakeWorker = system.worker({ concurrency: 1 });
    const others = [system.worker({ concurrency: 3 }), system.worker({ concurrency: 3 })];
    for (let index = 0; index < 4; index++) system.submit();
    assert.equal(full.sent.length, 1);
    assert.equal(
      others.reduce((sum, { sent }) => sum + sent.length, 0),
      3,
    );
  });

  it('strategy: is notified of replies, timeouts and workers that leave', () => {
    const calls: unknown[] = [];
    const system = new System({
      strategy: {
        name: 'listener',
        pick: () => undefined,
        onReply: (worker, latency, ok) => calls.push([worker.id, latency, ok]),
        onLeave: (worker) => calls.push(worker.id),
      },
    });
    const worker = system.worker({ concurrency: 3 });
    system.submit();
    system.now += 5;
    worker.reply();
    system.submit();
    worker.reply({ code: 'HANDLER_ERROR' });
    system.submit();
    worker.reply({ code: 'NOT_FOUND' });
    system.submit({ timeLeft: 10 });
    system.pass(16);
    worker.remove();
    assert.deepEqual(calls, [['w1', 5, true], ['w1', 0, false], ['w1', 0, true], ['w1', 16, false], 'w1']);
  });

  it('strategy: the broker rejects the proxy, which forwards without choosing', () => {
    assert.throws(() => new System({ strategy: new ZeroMQRoutingProxy() }), /forwards without choosing/);
  });
});
