import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { System } from '../fixture.ts';

const tokens = (reserve: number): { reserve: number; ratio: number; perSecond: number } => ({
  reserve,
  ratio: 0,
  perSecond: 0,
});

describe('a lost worker', () => {
  it('lost worker: its requests that are not idempotent fail with WORKER_LOST', () => {
    const system = new System();
    const worker = system.worker();
    system.worker({ events: ['other'] });
    system.submit({ idempotent: false });
    worker.remove();
    assert.deepEqual(system.client.codes, ['WORKER_LOST']);
    assert.equal(system.client.last?.dispatched, true);
  });

  it('lost worker: its idempotent requests run first, in order and within their deadline at another worker', () => {
    const system = new System();
    const lost = system.worker({ concurrency: 3 });
    const pendings = [1, 2, 3].map(() => system.submit({ idempotent: true, timeLeft: 1000 }));
    const other = system.worker({ concurrency: 1 });
    const waiting = [system.submit(), system.submit()];
    system.now += 400;
    lost.remove();
    assert.equal(other.sent[0]?.pending, waiting[0]);
    for (let index = 0; index < 4; index++) other.reply();
    assert.deepEqual(
      other.sent.map(({ pending }) => pending),
      [waiting[0], ...pendings, waiting[1]],
    );
    assert.equal(other.sent[1]?.timeLeft, 600);
    assert.equal(system.core.stats().redispatched, 3);
    assert.deepEqual(system.client.codes, ['ok', 'ok', 'ok', 'ok']);
  });

  it('lost worker: its requests are redispatched at once if another worker is free', () => {
    const system = new System();
    const workers = [system.worker(), system.worker()];
    const pending = system.submit({ idempotent: true });
    workers.find(({ worker }) => worker === pending.worker)?.remove();
    assert.equal(pending.state, 'dispatched');
    assert.equal(pending.attempts, 2);
  });

  it('lost worker: a request is redispatched once by default', () => {
    const system = new System({ breaker: false });
    const workers = [system.worker(), system.worker(), system.worker()];
    const pending = system.submit({ idempotent: true });
    for (let index = 0; index < 2; index++) workers.find(({ worker }) => worker === pending.worker)?.remove();
    assert.equal(pending.state, 'settled');
    assert.deepEqual(system.client.codes, ['WORKER_LOST']);
  });

  it('lost worker: a request is not redispatched if no other worker serves its event', () => {
    const system = new System();
    const worker = system.worker();
    system.submit({ idempotent: true });
    system.submit();
    worker.remove();
    assert.deepEqual(system.client.codes, ['NO_WORKER', 'WORKER_LOST']);
    assert.equal(system.core.stats().queued, 0);
  });

  it('lost worker: a redispatched request is never reported as not dispatched', () => {
    const system = new System();
    const lost = system.worker();
    system.submit({ idempotent: true, timeLeft: 100 });
    const other = system.worker();
    system.submit({ timeLeft: 1000 });
    lost.remove();
    system.pass(120);
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
    assert.equal(system.client.last?.dispatched, true);
    assert.equal(other.sent.length, 1);
  });

  for (const [code, outcome] of [
    ['NO_HANDLER', 'WORKER_LOST'],
    ['INVALID_REQUEST', 'WORKER_LOST'],
    ['EXPIRED', 'TIMEOUT'],
  ] as const) {
    it(`lost worker: ${code} of the second worker does not hide that the first may have run the request`, () => {
      const system = new System();
      const [first, second] = [system.worker(), system.worker()];
      system.submit({ idempotent: true });
      first.remove();
      second.reply({ code, dispatched: false });
      assert.deepEqual(system.client.codes, [outcome]);
      assert.equal(system.client.last?.dispatched, true);
    });
  }

  it('lost worker: its late replies to redispatched requests are dropped', () => {
    const system = new System();
    const lost = system.worker();
    system.submit({ idempotent: true });
    const sent = lost.sent[0];
    assert.ok(sent);
    const other = system.worker();
    lost.remove();
    lost.replyTo(sent);
    assert.equal(system.client.replies.length, 0);
    other.reply();
    assert.deepEqual(system.client.codes, ['ok']);
    assert.equal(system.core.stats().dropped.late, 1);
  });

  it('lost worker: requests beyond the retry budget are not redispatched', () => {
    const system = new System({ retryBudget: tokens(2) });
    const lost = system.worker({ concurrency: 5 });
    for (let index = 0; index < 5; index++) system.submit({ idempotent: true });
    const other = system.worker({ concurrency: 5 });
    lost.remove();
    assert.equal(other.sent.length, 2);
    assert.deepEqual(system.client.codes, ['WORKER_LOST', 'WORKER_LOST', 'WORKER_LOST']);
    assert.equal(system.core.stats().redispatchesDenied, 3);
  });

  it('lost worker: a cancelled request is not redispatched', () => {
    const system = new System();
    const lost = system.worker();
    const pending = system.submit({ idempotent: true });
    const other = system.worker();
    system.core.cancel(pending);
    lost.remove();
    assert.equal(other.sent.length, 0);
    assert.equal(system.client.replies.length, 0);
    assert.equal(system.core.stats().abandoned, 0);
  });
});

describe('a classic worker', () => {
  it('classic worker: serves unannounced events, one request at a time', () => {
    const system = new System();
    const classic = system.worker({ events: undefined });
    system.worker({ events: ['announced'] });
    for (const eventName of ['a', 'b', 'announced']) system.submit({ eventName });
    assert.deepEqual(classic.events, ['a']);
    classic.reply();
    classic.reply();
    assert.deepEqual(classic.events, ['a', 'b']);
    assert.equal(system.core.stats().unannouncedEvents, 0);
  });

  it('classic worker: never receives an event whose announcing workers have left', () => {
    const system = new System({ workerGrace: 100 });
    const native = system.worker({ events: ['e'] });
    const [, second] = [system.submit(), system.submit()];
    native.remove();
    const classic = system.worker({ events: undefined });
    const third = system.submit();
    assert.deepEqual(
      [second.state, third.state],
      ['queued', 'queued'],
      'within the grace period of its worker',
    );
    system.pass(110);
    assert.deepEqual(system.client.codes, ['WORKER_LOST', 'NO_WORKER', 'NO_WORKER']);
    system.submit();
    assert.equal(system.client.codes.at(-1), 'NO_WORKER');
    assert.match(String(system.client.last?.body), /its workers have left/);
    assert.equal(system.core.serves('e'), false);
    system.submit({ eventName: 'never announced' });
    assert.deepEqual(classic.events, ['never announced']);
    const back = system.worker({ events: ['e'] });
    assert.equal(system.submit().worker, back.worker);
  });

  it('classic worker: does not receive such an event during the startup grace period either', () => {
    const system = new System({ startupGrace: 4000 });
    const classic = system.worker({ events: undefined });
    system.worker({ events: ['e'] }).remove();
    const waiting = system.submit();
    assert.equal(waiting.state, 'queued');
    assert.equal(system.submit({ eventName: 'other' }).worker, classic.worker);
    const back = system.worker({ events: ['e'] });
    assert.equal(waiting.worker, back.worker);
  });

  it('classic worker: receives such an event if the configuration binds the worker to it', () => {
    const system = new System();
    system.worker({ events: ['e'] }).remove();
    const bound = system.worker({ events: ['e'], cancels: false });
    assert.equal(system.submit().worker, bound.worker);
  });

  it('classic worker: regains its credit when a request times out, because failed handlers send no reply', () => {
    const system = new System();
    const classic = system.worker({ events: undefined });
    system.submit({ timeLeft: 100 });
    const next = system.submit({ timeLeft: 1000 });
    system.pass(110);
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
    assert.equal(next.state, 'dispatched');
    assert.deepEqual(classic.cancelled, []);
  });

  it('classic worker: is unresponsive after three consecutive timeouts, until it sends a reply', () => {
    const system = new System({ breaker: false });
    const unresponsive = system.worker({ events: undefined });
    for (let index = 0; index < 5; index++) system.submit({ timeLeft: 100 });
    for (let index = 0; index < 3; index++) {
      system.submit({ timeLeft: 100 });
      system.pass(110);
    }
    assert.equal(unresponsive.sent.length, 3);
    assert.deepEqual(
      system.notices.map(({ type }) => type),
      ['worker-unresponsive'],
    );
    const waiting = system.submit({ timeLeft: 1000 });
    assert.equal(waiting.state, 'queued');
    const late = unresponsive.sent[0];
    assert.ok(late);
    unresponsive.replyTo(late);
    assert.equal(waiting.state, 'dispatched');
    assert.equal(unresponsive.worker.timeouts, 0);
    assert.equal(system.notices.at(-1)?.type, 'worker-responsive');
  });

  it('classic worker: while it is unresponsive, other workers receive the requests', () => {
    const system = new System({ breaker: false, unresponsiveRetry: Number.POSITIVE_INFINITY });
    const unresponsive = system.worker({ events: undefined });
    const good = system.worker({ events: undefined });
    for (let index = 0; index < 200; index++) {
      system.submit({ timeLeft: 1000 });
      system.pass(16);
      good.reply();
    }
    system.pass(5000);
    assert.equal(unresponsive.sent.length, 3);
    assert.equal(system.client.codes.filter((code) => code === 'ok').length, 197);
  });

  it('classic worker: is tried again with one request after the unresponsive period', () => {
    const system = new System({ breaker: false, unresponsiveAfter: 2, unresponsiveRetry: 1000 });
    const unresponsive = system.worker({ events: undefined });
    const send = (): void => {
      system.submit({ timeLeft: 50 });
      system.pass(60);
    };
    for (let index = 0; index < 5; index++) send();
    assert.equal(unresponsive.sent.length, 2);
    system.pass(1000);
    for (let index = 0; index < 5; index++) send();
    assert.equal(unresponsive.sent.length, 3);
    system.pass(1000);
    send();
    assert.equal(unresponsive.sent.length, 4);
    unresponsive.reply();
    const pending = system.submit({ timeLeft: 50 });
    assert.equal(pending.state, 'dispatched');
  });

  it('classic worker: a cancelled request uses its credit until the reply or the deadline', () => {
    const system = new System();
    const classic = system.worker({ events: undefined });
    system.core.cancel(system.submit({ timeLeft: 500 }));
    const next = system.submit({ timeLeft: 2000 });
    assert.equal(next.state, 'queued');
    system.pass(510);
    assert.equal(next.state, 'dispatched');
    assert.equal(system.client.replies.length, 0);
    classic.open.shift();
    system.core.cancel(next);
    const last = system.submit({ timeLeft: 2000 });
    classic.reply();
    assert.equal(last.state, 'dispatched');
  });
});

describe('grace periods', () => {
  it('startup grace period: is four seconds by default', () => {
    const system = new System({ startupGrace: undefined });
    system.submit({ timeLeft: 10_000 });
    system.pass(3900);
    assert.deepEqual(system.client.codes, []);
    system.pass(200);
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
  });

  it('startup grace period: requests stay queued until their first worker joins', () => {
    const system = new System({ startupGrace: 1000 });
    const early = system.submit({ timeLeft: 5000 });
    const lost = system.submit({ eventName: 'unserved', timeLeft: 5000 });
    assert.deepEqual([early.state, lost.state], ['queued', 'queued']);
    system.pass(500);
    const worker = system.worker();
    assert.equal(worker.sent[0]?.pending, early);
    system.pass(600);
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
    assert.equal(system.submit({ eventName: 'unserved' }).state, 'settled');
  });

  it('worker grace period: requests stay queued until their worker returns', () => {
    const system = new System({ workerGrace: 1000 });
    const worker = system.worker();
    const held = system.submit({ idempotent: true });
    const waiting = system.submit();
    worker.remove();
    const later = system.submit();
    assert.deepEqual([held.state, waiting.state, later.state], ['queued', 'queued', 'queued']);
    system.pass(900);
    const back = system.worker({ concurrency: 3 });
    assert.deepEqual(
      back.sent.map(({ pending }) => pending),
      [held, waiting, later],
    );
    system.pass(200);
    for (let index = 0; index < 3; index++) back.reply();
    assert.deepEqual(system.client.codes, ['ok', 'ok', 'ok']);
  });

  it('worker grace period: ends when no worker joins, also for events without requests', () => {
    const system = new System({ workerGrace: 1000 });
    system.worker({ events: ['e', 'quiet'] }).remove();
    system.submit({ timeLeft: 5000 });
    assert.equal(system.core.stats().unannouncedEvents, 2);
    system.pass(1010);
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
    assert.equal(system.core.stats().unannouncedEvents, 0);
  });

  it('worker grace period: starts again each time the last worker leaves', () => {
    const system = new System({ workerGrace: 1000 });
    system.worker().remove();
    system.pass(600);
    system.worker().remove();
    const pending = system.submit({ timeLeft: 5000 });
    system.pass(600);
    assert.equal(pending.state, 'queued');
    system.pass(410);
    assert.equal(pending.state, 'settled');
  });
});

describe('changes of a worker', () => {
  it('changed worker: receives queued requests for its new events and none for its former ones', () => {
    const system = new System();
    const worker = system.worker({ events: ['a'], concurrency: 1 });
    const busy = system.worker({ events: ['b'], concurrency: 1 });
    system.submit({ eventName: 'b' });
    const waiting = system.submit({ eventName: 'b' });
    system.core.updateWorker(worker.worker, { events: ['b'] }, system.now);
    assert.equal(waiting.worker, worker.worker);
    assert.equal(system.core.serves('a'), false);
    assert.equal(busy.sent.length, 1);
  });

  it('changed worker: may announce events after it was taken for a classic worker', () => {
    const system = new System();
    const worker = system.worker({ events: undefined });
    system.core.updateWorker(worker.worker, { events: ['e'], concurrency: 2, cancels: true }, system.now);
    system.core.cancel(system.submit());
    assert.equal(worker.cancelled.length, 1);
    assert.equal(system.submit({ eventName: 'unannounced' }).state, 'settled');
  });

  it('changed worker: may change its concurrency', () => {
    const system = new System();
    const worker = system.worker({ concurrency: 1 });
    for (let index = 0; index < 4; index++) system.submit();
    system.core.updateWorker(worker.worker, { concurrency: 3 }, system.now);
    assert.equal(worker.open.length, 3);
    system.core.updateWorker(worker.worker, { concurrency: 0 }, system.now);
    for (let index = 0; index < 3; index++) worker.reply();
    assert.equal(worker.open.length, 0);
    assert.equal(system.core.stats().queued, 1);
  });

  it('changed worker: changes have no effect after it left', () => {
    const system = new System();
    const worker = system.worker();
    worker.remove();
    worker.remove();
    system.core.updateWorker(worker.worker, { events: ['e'] }, system.now);
    system.core.unblock(worker.worker, system.now);
    assert.equal(system.core.serves('e'), false);
    assert.equal(system.core.stats().workers, 0);
  });
});
