import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detached, Slab, sizeOf } from '../../../src/router/broker/payload.ts';
import { FakeClient, requestMessage, System } from './fixture.ts';

describe('queue limits', () => {
  it('queue limit: rejects requests over the limit of an event and no requests of other events', () => {
    const system = new System({ queueLimit: 10 });
    system.worker({ events: ['e', 'f'] });
    for (let index = 0; index < 12; index++) system.submit();
    assert.deepEqual(system.client.codes, ['QUEUE_FULL']);
    assert.equal(system.client.last?.dispatched, false);
    assert.equal(system.submit({ eventName: 'f' }).state, 'queued');
  });

  it('queue limit: is 10,000 requests by default', () => {
    const system = new System();
    system.worker();
    for (let index = 0; index < 10_002; index++) system.submit();
    assert.equal(system.core.stats().queued, 10_000);
    assert.deepEqual(system.client.codes, ['QUEUE_FULL']);
  });

  it('queue limit: a full queue evicts requests of the client with the most queued requests', () => {
    const system = new System({ queueLimit: 100 });
    const worker = system.worker();
    const flood = new FakeClient();
    for (let index = 0; index < 200; index++) system.submit({}, flood);
    const lastQueued = flood.replies.length;
    const small = new FakeClient();
    for (let index = 0; index < 10; index++) assert.equal(system.submit({}, small).state, 'queued');
    assert.equal(flood.replies.length, lastQueued + 10);
    assert.ok(flood.codes.every((code) => code === 'QUEUE_FULL'));
    assert.equal(system.core.stats().queued, 100);
    for (let index = 0; index < 25; index++) worker.reply();
    assert.equal(small.codes.filter((code) => code === 'ok').length, 10);
  });

  it('queue limit: a full queue is shared evenly among clients in the end', () => {
    const system = new System({ queueLimit: 90 });
    system.worker();
    system.submit();
    const clients = [new FakeClient(), new FakeClient(), new FakeClient()];
    for (let index = 0; index < 300; index++) for (const client of clients) system.submit({}, client);
    for (const { replies } of clients) assert.equal(300 - replies.length, 30);
  });

  it('queue bytes: include replies that clients have not read, up to half of the limit', () => {
    const system = new System({ queueBytes: 100_000 });
    const queued = (): number => {
      const { queued: before } = system.core.stats();
      const body = Buffer.alloc(9000);
      const added = Array.from({ length: 20 }, () => system.submit({ body }));
      const { queued: after } = system.core.stats();
      for (const pending of added) system.core.cancel(pending);
      return after - before;
    };
    system.worker();
    system.submit();
    const all = queued();
    system.core.unread.bytes = 30_000;
    assert.equal(system.core.stats().unreadBytes, 30_000);
    const some = queued();
    system.core.unread.bytes = 1_000_000;
    assert.deepEqual([all, some, queued()], [10, 7, 5]);
  });

  it('queue bytes: are limited over all events, and the event with the most bytes loses requests', () => {
    const system = new System({ queueBytes: 100_000 });
    system.worker({ events: ['heavy', 'light'] });
    const heavy = new FakeClient();
    const body = Buffer.alloc(10_000);
    for (let index = 0; index < 20; index++) system.submit({ eventName: 'heavy', body }, heavy);
    assert.ok(system.core.stats().queuedBytes <= 100_000);
    const refused = heavy.replies.length;
    assert.ok(refused > 5);
    const light = new FakeClient();
    for (let index = 0; index < 3; index++) {
      assert.equal(system.submit({ eventName: 'light', body: Buffer.alloc(5000) }, light).state, 'queued');
    }
    assert.ok(heavy.replies.length > refused);
    assert.ok(system.core.stats().queuedBytes <= 100_000);
    assert.equal(system.submit({ eventName: 'light', body: Buffer.alloc(99_000) }, light).state, 'settled');
    assert.equal(light.replies.length, 1);
  });

  it('queue bytes: the client with the most bytes loses requests within an event', () => {
    const system = new System({ queueBytes: 50_000 });
    system.worker();
    const heavy = new FakeClient();
    for (let index = 0; index < 6; index++) system.submit({ body: Buffer.alloc(9000) }, heavy);
    const light = new FakeClient();
    assert.equal(system.submit({ body: Buffer.alloc(4000) }, light).state, 'queued');
    assert.equal(heavy.replies.length, 1);
  });

  it('queue bytes: an unannounced event may lose its only request for another one of the same event', () => {
    const system = new System({ queueBytes: 20_000, startupGrace: 10_000 });
    const first = new FakeClient();
    system.submit({ body: Buffer.alloc(18_000) }, first);
    const second = new FakeClient();
    assert.equal(system.submit({ body: Buffer.alloc(7000) }, second).state, 'queued');
    assert.deepEqual(first.codes, ['QUEUE_FULL']);
    assert.equal(system.worker().sent.length, 1);
  });

  it('queue limit: the number of unannounced events is limited', () => {
    const system = new System({ maxUnannouncedEvents: 5 });
    const worker = system.worker({ events: undefined });
    system.submit({ eventName: 'busy' });
    for (let index = 0; index < 8; index++) system.submit({ eventName: `unannounced-${index}` });
    assert.deepEqual(system.client.codes, ['QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL']);
    for (let index = 0; index < 6; index++) worker.reply();
    assert.equal(system.core.stats().unannouncedEvents, 0);
    assert.equal(worker.sent.length, 6);
  });
});

describe('payloads of queued requests', () => {
  it('queued payloads: keep only their own memory', () => {
    const system = new System();
    system.worker();
    system.submit();
    const batch = Buffer.alloc(256 * 1024, 7);
    const small = system.submit({ body: batch.subarray(0, 100), extras: batch.subarray(100, 110) });
    const large = system.submit({ body: batch.subarray(0, 10_000) });
    assert.ok(small.message.body.equals(batch.subarray(0, 100)));
    assert.ok(small.message.extras.equals(batch.subarray(100, 110)));
    assert.ok(small.message.body.buffer.byteLength <= 16 * 1024);
    assert.equal(large.message.body.buffer.byteLength, 10_000);
  });

  it('queued payloads: are not copied if a worker is free', () => {
    const system = new System();
    system.worker();
    const body = Buffer.alloc(1000);
    assert.equal(system.submit({ body }).message.body, body);
  });

  it('queued payloads: are copied when a worker runs the request for long', () => {
    const system = new System();
    const worker = system.worker({ concurrency: 2 });
    const batch = Buffer.alloc(256 * 1024, 7);
    const slow = system.submit({ body: batch.subarray(0, 100), timeLeft: 10_000 });
    system.pass(900);
    assert.equal(slow.message.body.buffer, batch.buffer);
    const other = system.submit({ body: batch.subarray(0, 100), timeLeft: 10_000 });
    system.pass(200);
    assert.notEqual(slow.message.body.buffer, batch.buffer);
    assert.ok(slow.message.body.equals(batch.subarray(0, 100)));
    assert.equal(other.message.body.buffer, batch.buffer);
    system.pass(1000);
    assert.notEqual(other.message.body.buffer, batch.buffer);
    worker.reply();
    worker.reply();
    assert.deepEqual(system.client.codes, ['ok', 'ok']);
  });

  it('queued payloads: a large one with a buffer of its own is not copied', () => {
    const body = Buffer.allocUnsafeSlow(5000);
    assert.equal(detached(requestMessage({ body }), 'e', new Slab(), 0).body, body);
  });

  it('queued payloads: share slabs without overlap', () => {
    const slab = new Slab();
    const copies = Array.from({ length: 500 }, (_, index) => slab.copy(Buffer.alloc(100, index & 255), 4096));
    copies.forEach((copy, index) => assert.ok(copy.equals(Buffer.alloc(100, index & 255))));
    assert.ok(new Set(copies.map(({ buffer }) => buffer)).size <= 13);
  });

  it('queued payloads: count with a fixed overhead, so that many empty ones are limited too', () => {
    const message = requestMessage({ body: Buffer.alloc(100), eventName: 'abc', requestId: '12' });
    assert.equal(sizeOf(message, [Buffer.alloc(5)]), 512 + 100 + 3 + 2 + 5);
  });
});

const SERVICE_TIME = 10;

/** Returns how long the requests of an occasional client take, in simulated milliseconds, while other clients flood four workers. */
function measureWaits(
  flood: { clients: number; eventName: string; requests: number },
  eventName: string,
): number[] {
  const system = new System({ defaultTimeout: 1e6 });
  const workers = [1, 2, 3, 4].map(() => system.worker({ events: ['e', 'f'] }));
  const due = new Map<unknown, number>();
  const occasional = new FakeClient();
  const sentAt: number[] = [];
  const waits: number[] = [];
  for (let client = 0; client < flood.clients; client++) {
    const origin = new FakeClient();
    for (let index = 0; index < flood.requests; index++)
      system.submit({ eventName: flood.eventName }, origin);
  }
  for (let time = 0; time < 2000; time++) {
    system.now += 1;
    if (time % 50 === 0) {
      system.submit({ eventName }, occasional);
      sentAt.push(system.now);
    }
    for (const worker of workers) {
      const sent = worker.open[0];
      if (sent === undefined) continue;
      const end = due.get(sent) ?? system.now + SERVICE_TIME;
      due.set(sent, end);
      if (system.now >= end) worker.reply();
    }
    while (waits.length < occasional.replies.length) waits.push(system.now - (sentAt[waits.length] ?? 0));
  }
  assert.ok(waits.length >= 39);
  return waits;
}

/** Returns the CPU time of running `count` queued requests, in µs per request: the minimum of three runs. */
function drainTime(count: number): number {
  const tries = [1, 2, 3].map(() => {
    const system = new System({ queueLimit: count, defaultTimeout: 1e6 });
    const worker = system.worker();
    for (let index = 0; index <= count; index++) system.submit();
    assert.equal(system.core.stats().queued, count);
    const before = process.cpuUsage();
    for (let index = 0; index <= count; index++) worker.reply();
    const { user } = process.cpuUsage(before);
    assert.equal(system.client.replies.length, count + 1);
    return user / count;
  });
  return Math.min(...tries);
}

describe('a long queue', () => {
  it('long queue: the CPU time per request does not grow with its length', () => {
    drainTime(10_000); // Warms up the compiler.
    const [short, long] = [drainTime(10_000), drainTime(100_000)];
    assert.ok(long < short * 5, `${short.toFixed(2)} µs each of 10,000, ${long.toFixed(2)} µs of 100,000`);
  });
});

describe('fairness under a flood', () => {
  const quiet = Math.max(...measureWaits({ clients: 0, eventName: 'e', requests: 0 }, 'e'));

  it('fairness: a flood delays other clients of the event by at most one service time', () => {
    const flooded = Math.max(...measureWaits({ clients: 1, eventName: 'e', requests: 9000 }, 'e'));
    assert.ok(flooded <= quiet + SERVICE_TIME + 1, `${flooded} ms with the flood, ${quiet} ms without`);
  });

  it('fairness: a flood delays requests for other events by at most one service time', () => {
    const flooded = Math.max(...measureWaits({ clients: 20, eventName: 'f', requests: 500 }, 'e'));
    assert.ok(flooded <= quiet + SERVICE_TIME + 1, `${flooded} ms with the flood, ${quiet} ms without`);
  });
});
