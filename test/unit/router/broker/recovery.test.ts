import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { System } from '../fixture.ts';

const tokens = (reserve: number): { reserve: number; ratio: number; perSecond: number } => ({
  reserve,
  ratio: 0,
  perSecond: 0,
});

describe('a lost worker', () => {
  it('answers for what is not idempotent, with the truth', () => {
    const system = new System();
    const worker = system.worker();
    system.worker({ events: ['other'] });
    system.submit({ idempotent: false });
    worker.remove();
    assert.deepEqual(system.client.codes, ['WORKER_LOST']);
    assert.equal(system.client.last?.dispatched, true);
  });

  it('hands idempotent requests to another worker, in front and in order, within the same deadline', () => {
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

  it('redispatches at once where another worker is free', () => {
    const system = new System();
    const workers = [system.worker(), system.worker()];
    const pending = system.submit({ idempotent: true });
    workers.find(({ worker }) => worker === pending.worker)?.remove();
    assert.equal(pending.state, 'dispatched');
    assert.equal(pending.attempts, 2);
  });

  it('redispatches once by default', () => {
    const system = new System({ breaker: false });
    const workers = [system.worker(), system.worker(), system.worker()];
    const pending = system.submit({ idempotent: true });
    for (let index = 0; index < 2; index++) workers.find(({ worker }) => worker === pending.worker)?.remove();
    assert.equal(pending.state, 'settled');
    assert.deepEqual(system.client.codes, ['WORKER_LOST']);
  });

  it('does not redispatch where nobody else serves the event', () => {
    const system = new System();
    const worker = system.worker();
    system.submit({ idempotent: true });
    system.submit();
    worker.remove();
    assert.deepEqual(system.client.codes, ['NO_WORKER', 'WORKER_LOST']);
    assert.equal(system.core.stats().queued, 0);
  });

  it('never says of a redispatched request that it did not run', () => {
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

  for (const [said, told] of [
    ['NO_HANDLER', 'WORKER_LOST'],
    ['INVALID_REQUEST', 'WORKER_LOST'],
    ['EXPIRED', 'TIMEOUT'],
  ] as const) {
    it(`does not let the second worker's ${said} hide that the first one may have run it`, () => {
      const system = new System();
      const [first, second] = [system.worker(), system.worker()];
      system.submit({ idempotent: true });
      first.remove();
      second.reply({ code: said, dispatched: false });
      assert.deepEqual(system.client.codes, [told]);
      assert.equal(system.client.last?.dispatched, true);
    });
  }

  it('drops late replies to the lost dispatch', () => {
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

  it('does not redispatch beyond the retry budget', () => {
    const system = new System({ retryBudget: tokens(2) });
    const lost = system.worker({ concurrency: 5 });
    for (let index = 0; index < 5; index++) system.submit({ idempotent: true });
    const other = system.worker({ concurrency: 5 });
    lost.remove();
    assert.equal(other.sent.length, 2);
    assert.deepEqual(system.client.codes, ['WORKER_LOST', 'WORKER_LOST', 'WORKER_LOST']);
    assert.equal(system.core.stats().redispatchesDenied, 3);
  });

  it('does not redispatch what the caller does not wait for', () => {
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
  it('serves what nobody announced, one at a time', () => {
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

  it('never gets the event of an announcing worker that is away', () => {
    const system = new System({ workerGrace: 100 });
    const ours = system.worker({ events: ['e'] });
    const [, second] = [system.submit(), system.submit()];
    ours.remove();
    const classic = system.worker({ events: undefined });
    const third = system.submit();
    assert.deepEqual([second.state, third.state], ['queued', 'queued'], 'within the grace for its worker');
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

  it('does not get such an event during the grace at the start either', () => {
    const system = new System({ startupGrace: 4000 });
    const classic = system.worker({ events: undefined });
    system.worker({ events: ['e'] }).remove();
    const waiting = system.submit();
    assert.equal(waiting.state, 'queued');
    assert.equal(system.submit({ eventName: 'other' }).worker, classic.worker);
    const back = system.worker({ events: ['e'] });
    assert.equal(waiting.worker, back.worker);
  });

  it('gets such an event when it is bound to it', () => {
    const system = new System();
    system.worker({ events: ['e'] }).remove();
    const bound = system.worker({ events: ['e'], cancels: false });
    assert.equal(system.submit().worker, bound.worker);
  });

  it('gets its credit back when a request times out: its handler may have failed without a word', () => {
    const system = new System();
    const classic = system.worker({ events: undefined });
    system.submit({ timeLeft: 100 });
    const next = system.submit({ timeLeft: 1000 });
    system.pass(110);
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
    assert.equal(next.state, 'dispatched');
    assert.deepEqual(classic.cancelled, []);
  });

  it('is unresponsive after three timeouts in a row, until it says anything', () => {
    const system = new System({ breaker: false });
    const mute = system.worker({ events: undefined });
    for (let index = 0; index < 5; index++) system.submit({ timeLeft: 100 });
    for (let index = 0; index < 3; index++) {
      system.submit({ timeLeft: 100 });
      system.pass(110);
    }
    assert.equal(mute.sent.length, 3);
    assert.deepEqual(
      system.notices.map(({ type }) => type),
      ['worker-unresponsive'],
    );
    const waiting = system.submit({ timeLeft: 1000 });
    assert.equal(waiting.state, 'queued');
    const late = mute.sent[0];
    assert.ok(late);
    mute.replyTo(late);
    assert.equal(waiting.state, 'dispatched');
    assert.equal(mute.worker.timeouts, 0);
    assert.equal(system.notices.at(-1)?.type, 'worker-responsive');
  });

  it('costs only its own requests while it is mute: others go to the others', () => {
    const system = new System({ breaker: false, unresponsiveRetry: Number.POSITIVE_INFINITY });
    const mute = system.worker({ events: undefined });
    const good = system.worker({ events: undefined });
    for (let index = 0; index < 200; index++) {
      system.submit({ timeLeft: 1000 });
      system.pass(16);
      good.reply();
    }
    system.pass(5000);
    assert.equal(mute.sent.length, 3);
    assert.equal(system.client.codes.filter((code) => code === 'ok').length, 197);
  });

  it('is tried again after a rest, with one timeout at stake', () => {
    const system = new System({ breaker: false, unresponsiveAfter: 2, unresponsiveRetry: 1000 });
    const mute = system.worker({ events: undefined });
    const send = (): void => {
      system.submit({ timeLeft: 50 });
      system.pass(60);
    };
    for (let index = 0; index < 5; index++) send();
    assert.equal(mute.sent.length, 2);
    system.pass(1000);
    for (let index = 0; index < 5; index++) send();
    assert.equal(mute.sent.length, 3);
    system.pass(1000);
    send();
    assert.equal(mute.sent.length, 4);
    mute.reply();
    const pending = system.submit({ timeLeft: 50 });
    assert.equal(pending.state, 'dispatched');
  });

  it('keeps its credit in use for a cancelled request until its reply, or its deadline', () => {
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

describe('grace', () => {
  it('is four seconds after the start where nobody says otherwise', () => {
    const system = new System({ startupGrace: undefined });
    system.submit({ timeLeft: 10_000 });
    system.pass(3900);
    assert.deepEqual(system.client.codes, []);
    system.pass(200);
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
  });

  it('lets requests wait for their first worker after the start', () => {
    const system = new System({ startupGrace: 1000 });
    const early = system.submit({ timeLeft: 5000 });
    const lost = system.submit({ eventName: 'nobody', timeLeft: 5000 });
    assert.deepEqual([early.state, lost.state], ['queued', 'queued']);
    system.pass(500);
    const worker = system.worker();
    assert.equal(worker.sent[0]?.pending, early);
    system.pass(600);
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
    assert.equal(system.submit({ eventName: 'nobody' }).state, 'settled');
  });

  it('lets requests wait for a worker to come back', () => {
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

  it('ends when nobody comes, also for events without requests', () => {
    const system = new System({ workerGrace: 1000 });
    system.worker({ events: ['e', 'quiet'] }).remove();
    system.submit({ timeLeft: 5000 });
    assert.equal(system.core.stats().unannouncedEvents, 2);
    system.pass(1010);
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
    assert.equal(system.core.stats().unannouncedEvents, 0);
  });

  it('starts anew each time', () => {
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

describe('a worker that changes', () => {
  it('gets what waits for its new events, and gives up the old ones', () => {
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

  it('may turn out to be one of ours after it was taken for a classic one', () => {
    const system = new System();
    const worker = system.worker({ events: undefined });
    system.core.updateWorker(worker.worker, { events: ['e'], concurrency: 2, cancels: true }, system.now);
    system.core.cancel(system.submit());
    assert.equal(worker.cancelled.length, 1);
    assert.equal(system.submit({ eventName: 'stray' }).state, 'settled');
  });

  it('may hold more or less', () => {
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

  it('does not matter any more once it is gone', () => {
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
