import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FakeWorker, System } from '../fixture.ts';

/** Sends one request and lets the worker that gets it reply. */
function ask(
  system: System,
  workers: readonly FakeWorker[],
  eventName: string,
  bad: FakeWorker | undefined,
): FakeWorker {
  system.now += 1;
  system.core.tick(system.now);
  const request = system.submit({ eventName });
  const holder = workers.find(({ worker }) => worker === request.worker);
  assert.ok(holder, `${eventName} is ${request.state}`);
  holder.reply(holder === bad ? { code: 'HANDLER_ERROR', status: 500 } : {});
  return holder;
}

describe('a circuit breaker of a worker and an event', () => {
  it('circuit breaker: blocks only the failing event at the worker, and probes it after the open duration', () => {
    const system = new System({ breaker: { threshold: 3, openDuration: 1000 } });
    const bad = system.worker({ events: ['e', 'f'], concurrency: 4 });
    const good = system.worker({ events: ['e', 'f'], concurrency: 4 });
    const workers = [bad, good];
    for (let index = 0; index < 40; index++) ask(system, workers, 'e', bad);
    assert.equal(bad.sent.length, 3);
    assert.deepEqual(system.notices, [
      { type: 'breaker-open', worker: 'w1', eventName: 'e', openDuration: 1000 },
    ]);
    for (let index = 0; index < 10; index++) ask(system, workers, 'f', undefined);
    assert.ok(bad.events.includes('f'));
    system.pass(1000);
    const before = bad.sent.length;
    for (let index = 0; index < 10; index++) ask(system, workers, 'e', bad);
    assert.equal(bad.sent.length, before + 1, 'one probe');
    assert.deepEqual(system.notices.slice(1), [
      { type: 'breaker-half-open', worker: 'w1', eventName: 'e' },
      { type: 'breaker-open', worker: 'w1', eventName: 'e', openDuration: 2000 },
    ]);
    system.pass(2000);
    for (let index = 0; index < 10; index++) ask(system, workers, 'e', undefined);
    assert.equal(bad.worker.tripped, 0);
    assert.ok(bad.sent.length > before + 3, 'back in service');
  });

  it('circuit breaker: admits one request at a time while half-open', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 100 } });
    const bad = system.worker({ concurrency: 4 });
    const good = system.worker({ concurrency: 1 });
    for (let index = 0; index < 4; index++) ask(system, [bad, good], 'e', bad);
    system.pass(110);
    const before = bad.sent.length;
    for (let index = 0; index < 5; index++) system.submit();
    assert.equal(bad.sent.length, before + 1);
    assert.equal(system.core.stats().queued, 3);
    bad.reply();
    assert.equal(system.core.stats().queued, 0);
  });

  it('circuit breaker: stays closed for quick failures of the only worker', () => {
    const system = new System({ breaker: { threshold: 2 } });
    const bad = system.worker();
    for (let index = 0; index < 20; index++) ask(system, [bad], 'e', bad);
    assert.equal(bad.sent.length, 20);
    assert.deepEqual(system.notices, []);
  });

  it('circuit breaker: opens for timeouts even of the only worker, because they use up its credit', () => {
    const system = new System({ breaker: { threshold: 2, openDuration: 1000 } });
    const worker = system.worker({ events: ['slow', 'quick'], concurrency: 8 });
    for (let index = 0; index < 2; index++) system.submit({ eventName: 'slow', timeLeft: 50 });
    system.pass(60);
    const waiting = system.submit({ eventName: 'slow', timeLeft: 500 });
    assert.equal(waiting.state, 'queued');
    assert.equal(system.submit({ eventName: 'quick' }).state, 'dispatched');
    system.pass(510);
    assert.equal(system.client.codes.at(-1), 'EXPIRED');
    assert.equal(worker.events.filter((name) => name === 'slow').length, 2);
  });

  it('circuit breaker: dispatches queued requests once it is half-open and then closed', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 100 } });
    const worker = system.worker({ concurrency: 8 });
    system.submit({ timeLeft: 50 });
    system.pass(60);
    const waiting = [1, 2, 3].map(() => system.submit({ timeLeft: 5000 }));
    system.pass(110);
    assert.deepEqual(
      waiting.map(({ state }) => state),
      ['dispatched', 'queued', 'queued'],
    );
    const [probe] = waiting;
    assert.ok(probe);
    worker.replyTo(probe);
    assert.deepEqual(
      waiting.map(({ state }) => state),
      ['settled', 'dispatched', 'dispatched'],
    );
  });

  it('circuit breaker: admits another request if the probe was returned unsent', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 100 } });
    const worker = system.worker({ concurrency: 8 });
    system.submit({ timeLeft: 50 });
    system.pass(160);
    const probe = system.submit({ timeLeft: 5000 });
    assert.equal(probe.state, 'dispatched');
    system.core.block(worker.worker);
    system.core.requeueUnsent(probe, system.now);
    assert.equal(probe.state, 'queued');
    system.core.unblock(worker.worker, system.now);
    assert.equal(probe.state, 'dispatched');
  });

  it('circuit breaker: counts a reply error of a handler as a success', () => {
    const system = new System({ breaker: { threshold: 1 } });
    const workers = [system.worker(), system.worker()];
    for (let index = 0; index < 10; index++) {
      system.submit();
      for (const worker of workers) worker.reply({ code: 'OUT_OF_STOCK', status: 503 });
    }
    assert.deepEqual(system.notices, []);
    assert.equal(system.core.stats().replyErrors, 10);
  });

  it('circuit breaker: suspends a worker that fails at many events', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 500 } });
    const events = Array.from({ length: 12 }, (_, index) => `e${index}`);
    const bad = system.worker({ events, concurrency: 4 });
    const good = system.worker({ events, concurrency: 4 });
    for (const eventName of events)
      for (let index = 0; index < 4; index++) ask(system, [bad, good], eventName, bad);
    assert.ok(bad.worker.suspended);
    assert.equal(bad.sent.length, 9);
    const suspended = { type: 'worker-suspended', worker: 'w1', duration: 500 } as const;
    assert.deepEqual(system.notices.at(-1), suspended);
    system.pass(520);
    assert.equal(bad.worker.suspended, false);
    assert.ok(system.notices.some(({ type }) => type === 'worker-resumed'));
  });

  it('circuit breaker: can be disabled', () => {
    const system = new System({ breaker: false });
    const workers = [system.worker(), system.worker()] as const;
    for (let index = 0; index < 40; index++) ask(system, workers, 'e', workers[0]);
    assert.equal(workers[0].sent.length, 20);
  });

  it('circuit breaker: works for unannounced events', () => {
    const system = new System({ breaker: { threshold: 2, openDuration: 1000 } });
    const workers = [system.worker({ events: undefined }), system.worker({ events: undefined })] as const;
    for (let index = 0; index < 20; index++) ask(system, workers, 'unannounced', workers[0]);
    assert.equal(workers[0].sent.length, 2);
    for (let index = 0; index < 4; index++) ask(system, workers, 'other', undefined);
    assert.ok(workers[0].sent.length > 2);
  });
});

describe('a circuit breaker of an event', () => {
  const settings = { breaker: { openDuration: 1000 }, workerGrace: 10_000 };

  it('circuit breaker: opens when three consecutive workers were lost with its requests, and protects the others', () => {
    const system = new System(settings);
    const both = { events: ['poison', 'good'] };
    for (let index = 0; index < 3; index++) {
      const victim = system.worker(both);
      assert.equal(system.submit({ eventName: 'poison' }).worker, victim.worker);
      victim.remove();
    }
    assert.deepEqual(system.client.codes, ['WORKER_LOST', 'WORKER_LOST', 'WORKER_LOST']);
    const survivor = system.worker({ ...both, concurrency: 8 });
    const waiting = system.submit({ eventName: 'poison', timeLeft: 30_000 });
    assert.equal(waiting.state, 'queued');
    assert.equal(system.submit({ eventName: 'good' }).state, 'dispatched');
    system.pass(1010);
    assert.equal(waiting.state, 'dispatched', 'one is tried');
    assert.equal(system.submit({ eventName: 'poison', timeLeft: 30_000 }).state, 'queued');
    survivor.replyTo(waiting);
    assert.equal(system.core.stats().queued, 0);
    assert.equal(system.notices.at(-1)?.type, 'breaker-closed');
  });

  it('circuit breaker: stays open twice as long when the probe loses its worker too', () => {
    const system = new System(settings);
    for (let index = 0; index < 3; index++) {
      const victim = system.worker();
      system.submit();
      victim.remove();
    }
    const next = system.worker();
    const request = system.submit({ timeLeft: 30_000 });
    system.pass(1010);
    assert.equal(request.state, 'dispatched');
    next.remove();
    assert.deepEqual(system.notices.at(-1), {
      type: 'breaker-open',
      worker: undefined,
      eventName: 'e',
      openDuration: 2000,
    });
  });

  it('circuit breaker: counts a lost worker once, however many requests it held', () => {
    const system = new System(settings);
    const lost = system.worker({ concurrency: 50 });
    for (let index = 0; index < 50; index++) system.submit({ idempotent: true });
    lost.remove();
    assert.equal(system.worker({ concurrency: 50 }).sent.length, 50);
  });

  it('circuit breaker: does not blame an event that others reply to', () => {
    const system = new System(settings);
    const steady = system.worker({ concurrency: 1 });
    for (let index = 0; index < 10; index++) {
      system.submit();
      const victim = system.worker();
      system.submit();
      victim.remove();
      steady.reply();
    }
    assert.deepEqual(system.notices, []);
  });
});
