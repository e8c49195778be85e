import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workersTable } from '../../../src/cli/commands/ps.ts';
import { eventReports, workerReports } from '../../../src/router/broker/report.ts';
import { FakeClient, type FakeWorker, System } from './fixture.ts';

/** Makes the router learn a handler time in milliseconds. */
function recordHandlerTimes(system: System, worker: FakeWorker, handlerTime: number): void {
  for (let count = 0; count < 100; count++) {
    system.submit({ timeLeft: 10 * handlerTime });
    system.pass(handlerTime);
    worker.reply();
  }
}

describe('requests that wait too long', () => {
  it('queued requests: expire once they have less time left than a handler takes', () => {
    const system = new System();
    const worker = system.worker();
    recordHandlerTimes(system, worker, 100);
    system.submit({ timeLeft: 10_000 });
    const hopeless = system.submit({ timeLeft: 500 });
    const viable = system.submit({ timeLeft: 10_000 });
    const before = worker.sent.length;
    system.pass(420);
    assert.equal(hopeless.state, 'queued');
    worker.reply();
    assert.equal(viable.state, 'dispatched');
    assert.equal(hopeless.state, 'queued', 'it is skipped');
    worker.reply();
    assert.equal(hopeless.state, 'settled');
    assert.deepEqual(system.client.codes.slice(-3), ['ok', 'ok', 'EXPIRED']);
    assert.equal(system.client.last?.dispatched, false);
    assert.equal(worker.sent.length, before + 1);
  });

  it('queued requests: late ones are skipped, and run when no others are queued', () => {
    const system = new System();
    const worker = system.worker();
    system.submit({ timeLeft: 60_000 });
    const late = [1000, 1001, 1002].map((timeLeft) => system.submit({ timeLeft }));
    system.pass(800);
    const fresh = [1, 2].map(() => system.submit({ timeLeft: 1000 }));
    worker.reply();
    worker.reply();
    worker.reply();
    const [first, second, third] = late;
    const order = worker.sent.slice(1).map(({ pending }) => pending);
    // The first of eight turns of a client is for a late request. The others follow in order.
    assert.deepEqual(order, [third, ...fresh]);
    worker.reply();
    worker.reply();
    assert.deepEqual(
      worker.sent.slice(4).map(({ pending }) => pending),
      [second, first],
    );
    worker.reply();
    assert.ok(system.client.codes.every((code) => code === 'ok'));
  });

  it('queued requests: late ones do not use the turns of other clients', () => {
    const system = new System();
    const worker = system.worker({ events: ['e', 'f'] });
    const flood = new FakeClient();
    system.submit({ timeLeft: 60_000 });
    for (let count = 0; count < 20; count++) system.submit({ timeLeft: 1000 }, flood);
    for (let count = 0; count < 20; count++) system.submit({ eventName: 'f', timeLeft: 1000 }, flood);
    system.pass(800);
    const other = [1, 2, 3, 4].map(() => system.submit({ timeLeft: 1000 }));
    for (let count = 0; count < 5; count++) worker.reply();
    assert.ok(other.every(({ state }) => state !== 'queued'));
  });

  it('queued requests: late ones are evicted first when the queue is full', () => {
    const system = new System({ queueLimit: 4 });
    const worker = system.worker();
    const flood = new FakeClient();
    system.submit({ timeLeft: 60_000 });
    const old = [1, 2].map(() => system.submit({ timeLeft: 1000 }, flood));
    system.pass(800);
    const young = [1, 2].map(() => system.submit({ timeLeft: 1000 }, flood));
    worker.reply();
    worker.reply();
    assert.equal(system.core.stats().queued, 2);
    for (let count = 0; count < 2; count++) system.submit({ timeLeft: 1000 }, flood);
    system.submit({ timeLeft: 1000 });
    assert.equal(old[0]?.state, 'settled');
    assert.deepEqual(flood.codes, ['ok', 'QUEUE_FULL']);
    assert.ok(young.every(({ state }) => state !== 'settled'));
  });

  it('queued requests: late ones are not redispatched when their worker is lost', () => {
    const system = new System();
    const worker = system.worker();
    recordHandlerTimes(system, worker, 100);
    const pending = system.submit({ timeLeft: 500, idempotent: true });
    const other = system.worker();
    system.pass(450);
    worker.remove();
    assert.equal(pending.state, 'settled');
    assert.equal(system.client.codes.at(-1), 'WORKER_LOST');
    assert.equal(other.sent.length, 0);
  });
});

describe('timeouts of requests with too little time', () => {
  it('request with too little time: its timeout does not open the circuit breaker of its worker', () => {
    const system = new System({ breaker: { threshold: 2 } });
    const worker = system.worker({ concurrency: 20 });
    recordHandlerTimes(system, worker, 100);
    for (let count = 0; count < 10; count++) {
      system.submit({ timeLeft: 50 });
      system.pass(60);
    }
    assert.equal(system.client.codes.filter((code) => code === 'TIMEOUT').length, 10);
    assert.equal(worker.worker.tripped, 0);
    for (let count = 0; count < 2; count++) system.submit({ timeLeft: 500 });
    system.pass(510);
    assert.equal(worker.worker.tripped, 1, 'with enough time it counts');
  });

  it('request with too little time: its timeout does not make a classic worker unresponsive', () => {
    const system = new System({ unresponsiveAfter: 2 });
    const worker = system.worker({ cancels: false });
    recordHandlerTimes(system, worker, 100);
    for (let count = 0; count < 10; count++) {
      system.submit({ timeLeft: 50 });
      system.pass(60);
    }
    assert.equal(system.client.codes.filter((code) => code === 'TIMEOUT').length, 10);
    assert.equal(worker.worker.unresponsive, false);
    for (let count = 0; count < 2; count++) {
      system.submit({ timeLeft: 500 });
      system.pass(510);
    }
    assert.equal(worker.worker.unresponsive, true, 'with enough time it counts');
  });

  it('request with too little time: a timeout reported by the worker does not count against the worker', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 100 } });
    const worker = system.worker({ concurrency: 4 });
    recordHandlerTimes(system, worker, 100);
    system.submit({ timeLeft: 50 });
    system.pass(40);
    worker.reply({ code: 'TIMEOUT', status: 504 });
    assert.equal(worker.worker.tripped, 0);
    system.submit({ timeLeft: 500 });
    worker.reply({ code: 'EXPIRED', status: 504, dispatched: false });
    assert.equal(worker.worker.tripped, 0);
  });
});

describe('a half-open circuit breaker', () => {
  it('half-open circuit breaker: waits for a request with enough time and dispatches it before the queued ones', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 1000 } });
    const worker = system.worker({ concurrency: 8 });
    system.submit({ timeLeft: 50 });
    system.pass(60);
    assert.equal(worker.worker.tripped, 1);
    const old = [1, 2, 3].map(() => system.submit({ timeLeft: 1500 }));
    system.pass(1050);
    assert.ok(old.every(({ state }) => state === 'queued'));
    const probe = system.submit({ timeLeft: 1500 });
    assert.equal(probe.state, 'dispatched');
    assert.equal(system.submit({ timeLeft: 1500 }).state, 'queued', 'one at a time');
    worker.replyTo(probe);
    assert.equal(worker.worker.tripped, 0);
    assert.ok(old.every(({ state }) => state === 'dispatched'));
  });

  it('half-open circuit breaker: finds a request with enough time among those of other clients', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 1000 } });
    system.worker({ concurrency: 8 });
    system.submit({ timeLeft: 50 });
    system.pass(60);
    const old = system.submit({ timeLeft: 1500 });
    system.pass(900);
    const fresh = system.submit({ timeLeft: 1500 }, new FakeClient());
    system.pass(150);
    assert.equal(old.state, 'queued');
    assert.equal(fresh.state, 'dispatched');
  });

  it('half-open circuit breaker: that of an event also waits for a request with enough time', () => {
    const system = new System({ breaker: { openDuration: 1000 }, workerGrace: 10_000 });
    for (let count = 0; count < 3; count++) {
      const victim = system.worker();
      system.submit({ timeLeft: 1500 });
      victim.remove();
    }
    system.worker({ concurrency: 8 });
    const old = system.submit({ timeLeft: 1500 });
    system.pass(1050);
    assert.equal(old.state, 'queued');
    assert.equal(system.submit({ timeLeft: 1500 }).state, 'dispatched');
  });
});

describe('reports of a router', () => {
  it('worker reports: show the circuit breakers that are not closed', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 1000 } });
    const worker = system.worker({ concurrency: 8 });
    const seen = () => ({
      breakers: workerReports(system.core, system.now, () => null)[0]?.breakers,
      tripped: eventReports(system.core)[0]?.tripped,
    });
    assert.deepEqual(seen(), { breakers: [], tripped: 0 });
    system.submit({ timeLeft: 50 });
    system.pass(60);
    assert.deepEqual(seen(), { breakers: [{ event: 'e', state: 'open' }], tripped: 1 });
    assert.match(workersTable(workerReports(system.core, system.now, () => null)).join('\n'), /e open/);
    system.pass(1010);
    assert.deepEqual(seen(), { breakers: [{ event: 'e', state: 'half-open' }], tripped: 1 });
    worker.replyTo(system.submit({ timeLeft: 5000 }));
    assert.deepEqual(seen(), { breakers: [], tripped: 0 });
  });

  it('event reports: show the circuit breaker of the event', () => {
    const system = new System({ workerGrace: 10_000 });
    for (let count = 0; count < 3; count++) {
      const victim = system.worker();
      system.submit();
      victim.remove();
    }
    system.worker();
    assert.equal(eventReports(system.core)[0]?.breaker, 'open');
  });
});
