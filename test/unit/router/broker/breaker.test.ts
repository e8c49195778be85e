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
  const pending = system.submit({ eventName });
  const holder = workers.find(({ worker }) => worker === pending.worker);
  assert.ok(holder, `${eventName} is ${pending.state}`);
  holder.reply(holder === bad ? { code: 'HANDLER_ERROR', status: 500 } : {});
  return holder;
}

describe('a circuit breaker of a worker and an event', () => {
  it('rests a worker that keeps failing, for that event only, and tries it again', () => {
    const system = new System({ breaker: { threshold: 3, openDuration: 1000 } });
    const bad = system.worker({ events: ['e', 'f'], concurrency: 4 });
    const good = system.worker({ events: ['e', 'f'], concurrency: 4 });
    const workers = [bad, good];
    for (let index = 0; index < 40; index++) ask(system, workers, 'e', bad);
    assert.equal(bad.sent.length, 3);
    assert.deepEqual(system.notices, [{ type: 'rest', worker: 'w1', eventName: 'e', rest: 1000 }]);
    for (let index = 0; index < 10; index++) ask(system, workers, 'f', undefined);
    assert.ok(bad.events.includes('f'));
    system.pass(1000);
    const before = bad.sent.length;
    for (let index = 0; index < 10; index++) ask(system, workers, 'e', bad);
    assert.equal(bad.sent.length, before + 1, 'one trial');
    assert.equal(system.notices.at(-1)?.type, 'rest');
    assert.deepEqual(system.notices.at(-1), { type: 'rest', worker: 'w1', eventName: 'e', rest: 2000 });
    system.pass(2000);
    for (let index = 0; index < 10; index++) ask(system, workers, 'e', undefined);
    assert.equal(bad.worker.tripped, 0);
    assert.ok(bad.sent.length > before + 3, 'back in service');
  });

  it('lets only one trial be under way', () => {
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

  it('does not rest the only worker for quick failures', () => {
    const system = new System({ breaker: { threshold: 2 } });
    const bad = system.worker();
    for (let index = 0; index < 20; index++) ask(system, [bad], 'e', bad);
    assert.equal(bad.sent.length, 20);
    assert.deepEqual(system.notices, []);
  });

  it('rests even the only worker for timeouts: they cost it its credit', () => {
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

  it('gives what waits to the worker when its rest is over', () => {
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
    const [trial] = waiting;
    assert.ok(trial);
    worker.replyTo(trial);
    assert.deepEqual(
      waiting.map(({ state }) => state),
      ['settled', 'dispatched', 'dispatched'],
    );
  });

  it('does not wait for ever for a trial that was given back', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 100 } });
    const worker = system.worker({ concurrency: 8 });
    system.submit({ timeLeft: 50 });
    system.pass(160);
    const trial = system.submit({ timeLeft: 5000 });
    assert.equal(trial.state, 'dispatched');
    system.core.block(worker.worker);
    system.core.giveBack(trial, system.now);
    assert.equal(trial.state, 'queued');
    system.core.unblock(worker.worker, system.now);
    assert.equal(trial.state, 'dispatched');
  });

  it('takes the considered error of a handler for a success', () => {
    const system = new System({ breaker: { threshold: 1 } });
    const workers = [system.worker(), system.worker()];
    for (let index = 0; index < 10; index++) {
      system.submit();
      for (const worker of workers) worker.reply({ code: 'OUT_OF_STOCK', status: 503 });
    }
    assert.deepEqual(system.notices, []);
    assert.equal(system.core.stats().replyErrors, 10);
  });

  it('rests a worker as a whole that fails at many events', () => {
    const system = new System({ breaker: { threshold: 1, openDuration: 500 } });
    const events = Array.from({ length: 12 }, (_, index) => `e${index}`);
    const bad = system.worker({ events, concurrency: 4 });
    const good = system.worker({ events, concurrency: 4 });
    for (const eventName of events)
      for (let index = 0; index < 4; index++) ask(system, [bad, good], eventName, bad);
    assert.ok(bad.worker.resting);
    assert.equal(bad.sent.length, 9);
    assert.ok(system.notices.some((notice) => notice.type === 'rest' && notice.eventName === undefined));
    system.pass(520);
    assert.equal(bad.worker.resting, false);
  });

  it('can be switched off', () => {
    const system = new System({ breaker: false });
    const workers = [system.worker(), system.worker()] as const;
    for (let index = 0; index < 40; index++) ask(system, workers, 'e', workers[0]);
    assert.equal(workers[0].sent.length, 20);
  });

  it('works for events that nobody announced', () => {
    const system = new System({ breaker: { threshold: 2, openDuration: 1000 } });
    const workers = [system.worker({ events: undefined }), system.worker({ events: undefined })] as const;
    for (let index = 0; index < 20; index++) ask(system, workers, 'stray', workers[0]);
    assert.equal(workers[0].sent.length, 2);
    for (let index = 0; index < 4; index++) ask(system, workers, 'other', undefined);
    assert.ok(workers[0].sent.length > 2);
  });
});

describe('a circuit breaker of an event', () => {
  const settings = { breaker: { openDuration: 1000 }, workerGrace: 10_000 };

  it('rests an event that was held by three lost workers in a row, and protects the others', () => {
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
    assert.equal(system.notices.at(-1)?.type, 'rest-over');
  });

  it('rests longer when the trial kills again', () => {
    const system = new System(settings);
    for (let index = 0; index < 3; index++) {
      const victim = system.worker();
      system.submit();
      victim.remove();
    }
    const next = system.worker();
    const pending = system.submit({ timeLeft: 30_000 });
    system.pass(1010);
    assert.equal(pending.state, 'dispatched');
    next.remove();
    assert.deepEqual(system.notices.at(-1), { type: 'rest', worker: undefined, eventName: 'e', rest: 2000 });
  });

  it('counts a lost worker once, however many requests it held', () => {
    const system = new System(settings);
    const lost = system.worker({ concurrency: 50 });
    for (let index = 0; index < 50; index++) system.submit({ idempotent: true });
    lost.remove();
    assert.equal(system.worker({ concurrency: 50 }).sent.length, 50);
  });

  it('does not blame an event that others reply to', () => {
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
