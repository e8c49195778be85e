import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { Broker } from '../../../../src/router/broker/broker.ts';
import { FakeClient, requestMessage, System } from '../fixture.ts';

describe('Broker: requests and replies', () => {
  it('broker: dispatches a request to a worker with credit and returns its reply to the client', () => {
    const system = new System();
    const worker = system.worker();
    const pending = system.submit({ body: Buffer.from('[1]'), timeLeft: 500 });
    assert.equal(pending.state, 'dispatched');
    assert.equal(worker.sent[0]?.timeLeft, 500);
    worker.reply({ status: 201 });
    assert.equal(pending.state, 'settled');
    assert.deepEqual(system.client.codes, ['ok']);
    assert.equal(system.client.last?.status, 201);
    assert.equal(system.core.stats().ok, 1);
  });

  it('broker: keeps the references that the origin passed with a request', () => {
    const system = new System();
    system.worker();
    const envelope = [Buffer.from('a')];
    const pending = system.core.submit(requestMessage(), system.client, system.now, 7, 8, envelope);
    assert.deepEqual([pending.refA, pending.refB, pending.envelope], [7, 8, envelope]);
  });

  it('broker: rejects a request at once if no worker serves its event', () => {
    const system = new System();
    system.worker({ events: ['other'] });
    const pending = system.submit();
    assert.equal(pending.state, 'settled');
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
    assert.equal(system.client.last?.dispatched, false);
    assert.match(system.client.last?.body.toString() ?? '', /no worker serves the event \\"e\\"/);
    assert.equal(system.core.stats().unannouncedEvents, 0);
  });

  it('broker: queues requests without credit and dispatches them in order when credit returns', () => {
    const system = new System();
    const worker = system.worker({ concurrency: 2 });
    const pendings = [1, 2, 3, 4].map(() => system.submit());
    assert.deepEqual(
      pendings.map(({ state }) => state),
      ['dispatched', 'dispatched', 'queued', 'queued'],
    );
    assert.equal(system.core.stats().queued, 2);
    worker.reply();
    worker.reply();
    assert.deepEqual(
      worker.sent.map(({ pending }) => pending),
      pendings,
    );
    assert.equal(system.core.stats().queuedBytes, 0);
  });

  it('broker: forwards the chunks of a reply and settles with the last one', () => {
    const system = new System();
    const worker = system.worker();
    system.submit();
    const sent = worker.sent[0];
    assert.ok(sent);
    worker.replyTo(sent, { more: true });
    worker.replyTo(sent, { more: true });
    assert.equal(system.core.stats().dispatched, 1);
    worker.replyTo(sent, {});
    assert.deepEqual(
      system.client.replies.map(({ reply }) => reply.more),
      [true, true, false],
    );
    worker.replyTo(sent, { more: true });
    assert.equal(system.client.replies.length, 3);
    assert.equal(system.core.stats().dropped.late, 1);
  });

  it('broker: drops and counts duplicate and forged replies, and replies from another worker', () => {
    const system = new System();
    const first = system.worker();
    system.submit();
    const second = system.worker();
    const sent = first.sent[0];
    assert.ok(sent);
    second.replyTo(sent);
    first.replyTo({ id: sent.id, generation: sent.generation ^ 0x55555555 });
    first.replyTo({ id: 0xffffffff, generation: 1 });
    assert.equal(system.client.replies.length, 0);
    first.reply();
    first.replyTo(sent);
    assert.equal(system.client.replies.length, 1);
    assert.deepEqual(system.core.stats().dropped, { foreign: 1, unknownToken: 2, late: 1 });
  });

  it('broker: treats a reply after the deadline as late even if no timer has fired', () => {
    const system = new System();
    const worker = system.worker({ cancels: true });
    system.submit({ timeLeft: 100 });
    system.now += 100;
    worker.reply();
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
    assert.equal(system.client.last?.dispatched, true);
    assert.deepEqual(system.core.stats().dropped, { late: 1, unknownToken: 0, foreign: 0 });
    assert.deepEqual(worker.cancelled, [], 'it has replied');
    assert.equal(system.submit().state, 'dispatched', 'the credit was returned');
    system.pass(200);
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
  });

  it('broker: cancels a request at its worker when a chunk arrives after the deadline', () => {
    const system = new System();
    const worker = system.worker({ cancels: true });
    const { id, generation } = system.submit({ timeLeft: 100 });
    system.now += 100;
    worker.replyTo({ id, generation }, { more: true });
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
    assert.deepEqual(worker.cancelled, [{ id, generation }]);
    worker.reply();
    assert.equal(system.core.stats().dropped.late, 2);
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
  });

  it('broker: reports a request that a worker rejected after the deadline as not dispatched', () => {
    const system = new System();
    const worker = system.worker({ cancels: true });
    system.submit({ timeLeft: 100 });
    system.now += 100;
    worker.reply({ code: 'BUSY', dispatched: false });
    assert.deepEqual(system.client.codes, ['EXPIRED']);
    assert.equal(system.client.last?.dispatched, false);
  });

  it('broker: removes a cancelled request from the queue', () => {
    const system = new System();
    const worker = system.worker();
    system.submit();
    const waiting = system.submit();
    system.core.cancel(waiting);
    system.core.cancel(waiting);
    worker.reply();
    assert.equal(worker.sent.length, 1);
    assert.deepEqual(system.client.codes, ['ok']);
    assert.deepEqual(system.core.stats().failures, { CANCELLED: 1 });
  });

  it('broker: cancels a dispatched request at its worker and regains the credit with its reply', () => {
    const system = new System();
    const worker = system.worker();
    const pending = system.submit();
    const { id, generation } = pending;
    system.core.cancel(pending);
    assert.deepEqual(worker.cancelled, [{ id, generation }]);
    const next = system.submit();
    assert.equal(next.state, 'queued');
    assert.equal(system.core.stats().abandoned, 1);
    worker.reply({ code: 'CANCELLED', status: 499 });
    assert.equal(next.state, 'dispatched');
    assert.equal(system.core.stats().dropped.late, 1);
    assert.equal(system.client.replies.length, 0);
  });

  it('broker: requeues an unsent request first and sends nothing to the worker until it is unblocked', () => {
    const system = new System();
    const worker = system.worker();
    worker.accepts = false;
    const first = system.submit();
    const second = system.submit();
    assert.deepEqual([first.state, second.state], ['queued', 'queued']);
    worker.accepts = true;
    system.core.unblock(worker.worker, system.now);
    assert.equal(first.state, 'dispatched');
    system.core.block(worker.worker);
    system.core.requeueUnsent(first, system.now);
    assert.equal(first.state, 'queued');
    system.core.unblock(worker.worker, system.now);
    assert.equal(first.state, 'dispatched');
    assert.equal(first.attempts, 1);
    assert.equal(second.state, 'queued');
  });

  it('broker: tries another worker if a worker cannot be sent to', () => {
    const system = new System();
    const first = system.worker();
    const second = system.worker();
    first.accepts = false;
    second.accepts = false;
    assert.equal(system.submit().state, 'queued');
    second.accepts = true;
    system.core.unblock(second.worker, system.now);
    assert.equal(second.sent.length, 1);
  });

  it('broker: requeues a request that a worker rejected before running it', () => {
    const system = new System();
    const busy = system.worker({ concurrency: 5 });
    const pending = system.submit();
    busy.reply({ code: 'BUSY', status: 503, dispatched: false });
    assert.equal(pending.state, 'queued');
    system.pass(100);
    assert.equal(pending.state, 'dispatched');
    busy.reply({ code: 'SHUTTING_DOWN', status: 503, dispatched: false });
    assert.equal(pending.state, 'queued');
    const other = system.worker();
    assert.equal(other.sent[0]?.pending, pending);
    other.reply();
    assert.deepEqual(system.client.codes, ['ok']);
    assert.equal(system.core.stats().refusedByWorker, 2);
  });

  it('broker: rejects invalid limits and strategies by name', () => {
    assert.throws(() => new Broker({ queueLimit: -1 }), ZeroMQConfigError);
    assert.throws(
      () => new Broker({ unresponsiveAfter: Number.NaN }),
      /unresponsiveAfter must be a number of at least 1, got NaN/,
    );
    assert.throws(
      () => new Broker({ breaker: { openDuration: -1 } }),
      /breaker\.openDuration must be a number of at least 0, got -1/,
    );
    const proxy = { name: 'proxy', kind: 'proxy' as const, pick: () => undefined };
    assert.throws(() => new Broker({ strategy: proxy }), /forwards without choosing/);
  });
});

describe('Broker: time', () => {
  it('broker: expires a queued request at its deadline and reports it as not dispatched', () => {
    const system = new System();
    system.worker();
    system.submit({ timeLeft: 1000 });
    system.submit({ timeLeft: 50 });
    assert.ok(system.core.nextWakeup() <= system.now + 58);
    system.pass(60);
    assert.deepEqual(system.client.codes, ['EXPIRED']);
    assert.equal(system.client.last?.dispatched, false);
    assert.equal(system.core.stats().queued, 0);
  });

  it('broker: times out a dispatched request, cancels it at its worker and keeps the credit in use until the late reply', () => {
    const system = new System();
    const worker = system.worker();
    const pending = system.submit({ timeLeft: 50 });
    const { id, generation } = pending;
    system.pass(60);
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
    assert.equal(system.client.last?.dispatched, true);
    assert.deepEqual(worker.cancelled, [{ id, generation }]);
    assert.equal(pending.message.body.length, 0);
    const next = system.submit();
    assert.equal(next.state, 'queued');
    worker.reply();
    assert.equal(next.state, 'dispatched');
    assert.deepEqual(system.client.codes, ['TIMEOUT']);
  });

  it('broker: never dispatches after the deadline, however late the tick is', () => {
    const system = new System();
    const worker = system.worker();
    system.submit({ timeLeft: 1000 });
    system.submit({ timeLeft: 50 });
    system.now += 51;
    worker.reply();
    assert.deepEqual(system.client.codes, ['ok', 'EXPIRED']);
    assert.equal(worker.sent.length, 1);
  });

  it('broker: applies the default request timeout and caps longer ones at the maximum', () => {
    const system = new System({ defaultTimeout: 100, maxTimeout: 1000 });
    system.worker({ concurrency: 3 });
    assert.equal(system.submit({ timeLeft: 0 }).deadline, system.now + 100);
    assert.equal(system.submit({ timeLeft: 1e9 }).deadline, system.now + 1000);
    system.submit({ timeLeft: -1 });
    assert.deepEqual(system.client.codes, ['EXPIRED']);
  });

  it('broker: needs no wakeup while no request is in flight', () => {
    const system = new System();
    const worker = system.worker();
    system.submit();
    worker.reply();
    assert.ok(system.core.nextWakeup() > system.now + 500);
    system.pass(1010);
    assert.equal(system.core.nextWakeup(), Infinity);
  });
});

describe('Broker: draining', () => {
  it('broker: rejects new requests while it drains and calls back when the others are settled', () => {
    const system = new System();
    const worker = system.worker();
    system.submit();
    system.submit();
    let idle = 0;
    system.core.drain(() => idle++);
    system.submit();
    assert.deepEqual(system.client.codes, ['SHUTTING_DOWN']);
    worker.reply();
    assert.equal(idle, 0);
    worker.reply();
    assert.equal(idle, 1);
    assert.deepEqual(system.client.codes, ['SHUTTING_DOWN', 'ok', 'ok']);
  });

  it('broker: drains at once if no request is in flight', () => {
    let idle = 0;
    new System().core.drain(() => idle++);
    assert.equal(idle, 1);
  });

  it('broker: settles each request at shutdown with what is known about it', () => {
    const system = new System();
    const worker = system.worker({ concurrency: 2 });
    const cancelled = system.submit();
    system.core.cancel(cancelled);
    system.submit();
    system.submit();
    system.core.shutDown();
    assert.deepEqual(system.client.codes, ['SHUTTING_DOWN', 'WORKER_LOST']);
    assert.equal(worker.worker.held, 0);
    worker.reply();
    assert.equal(system.client.replies.length, 2);
    system.pass(1010);
    assert.equal(system.core.nextWakeup(), Infinity);
  });

  it('broker: a draining worker finishes its requests and receives no others', () => {
    const system = new System();
    const leaving = system.worker({ concurrency: 4 });
    system.submit();
    let drained = 0;
    system.core.drainWorker(leaving.worker, () => drained++);
    const staying = system.worker();
    system.submit();
    assert.equal(staying.sent.length, 1);
    assert.equal(drained, 0);
    leaving.reply();
    assert.equal(drained, 1);
    leaving.remove();
    assert.equal(drained, 1);
    assert.deepEqual(system.client.codes, ['ok']);
  });
});

describe('Broker: fairness', () => {
  it('broker: serves the clients of an event in turn', () => {
    const system = new System();
    const worker = system.worker();
    system.submit();
    const flood = new FakeClient();
    for (let index = 0; index < 100; index++) system.submit({}, flood);
    const other = new FakeClient();
    for (let index = 0; index < 3; index++) system.submit({}, other);
    for (let index = 0; index < 8; index++) worker.reply();
    assert.equal(other.replies.length, 3);
    assert.equal(flood.replies.length, 4);
  });

  it('broker: treats several origins of one client as one client', () => {
    const system = new System();
    const worker = system.worker();
    system.submit();
    const client = {};
    const origins = [1, 2, 3, 4].map(() => Object.assign(new FakeClient(), { client }));
    for (const origin of origins) system.submit({}, origin);
    const other = new FakeClient();
    system.submit({}, other);
    for (let index = 0; index < 3; index++) worker.reply();
    assert.equal(other.replies.length, 1);
  });

  it('broker: serves the events of a worker in turn', () => {
    const system = new System();
    const worker = system.worker({ events: ['a', 'b'] });
    for (let index = 0; index < 50; index++) system.submit({ eventName: 'a' });
    for (let index = 0; index < 3; index++) system.submit({ eventName: 'b' });
    for (let index = 0; index < 7; index++) worker.reply();
    assert.deepEqual(worker.events, ['a', 'a', 'b', 'a', 'b', 'a', 'b', 'a']);
  });
});
