/** Calls that workers send to the backend: which are taken, and what a hostile worker can do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import type { CallParent } from '../../../../src/core/messages/calls.ts';
import type { ReplyMessage, RequestMessage } from '../../../../src/core/messages/message.ts';
import type { ClientLimits } from '../../../../src/router/broker/client-limits.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { isPacked, readPacked } from '../../../../src/wire/packed.ts';
import { PackedBatch } from '../../../../src/wire/packed-batch.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';
import { BackendFixture } from './backend-fixture.ts';

failOnLeftovers();

interface Received {
  readonly what: 'request' | 'reply' | 'cancel';
  readonly id: number;
  readonly generation: number;
  readonly message?: RequestMessage;
  readonly reply?: ReplyMessage;
}

/** A worker whose records a test sends by hand. */
class Caller {
  private readonly received: Received[] = [];

  constructor(readonly socket: Dealer) {}

  static async join(
    fixture: BackendFixture,
    endpoint: string,
    name: string,
    hello: object = {},
  ): Promise<Caller> {
    const socket = await fixture.connect(endpoint, name);
    const data = { v: 1, pack: 1, concurrency: 1, events: [name], calls: 1, ...hello };
    await socket.send(controlFrames('$hello', data));
    const frames = await socket.receive();
    assert.equal(String(frames[2]), '$welcome');
    assert.equal((JSON.parse(String(frames[3])) as { calls?: number }).calls, 1);
    return new Caller(socket);
  }

  async call(id: number, eventName: string, parent: Partial<CallParent> = {}): Promise<void> {
    const batch = new PackedBatch();
    const from = { id: 0, generation: 0, depth: 1, ...parent };
    batch.addCall(id, 1, makeRequest({ eventName, timeLeft: 60_000 }), from);
    await this.socket.send(batch.take());
  }

  async reply(id: number, generation: number): Promise<void> {
    const batch = new PackedBatch();
    batch.addReply(id, generation, makeReply());
    await this.socket.send(batch.take());
  }

  async cancel(id: number): Promise<void> {
    const batch = new PackedBatch();
    batch.addCancel(id, 1);
    await this.socket.send(batch.take());
  }

  async next(): Promise<Received> {
    while (this.received.length === 0) {
      const frames = await this.socket.receive();
      if (frames[0] === undefined || !isPacked(frames[0])) continue;
      readPacked(frames, 0, {
        packedRequest: (id, generation, message) =>
          this.received.push({ what: 'request', id, generation, message }),
        packedReply: (id, generation, reply) => this.received.push({ what: 'reply', id, generation, reply }),
        packedCancel: (id, generation) => this.received.push({ what: 'cancel', id, generation }),
      });
    }
    return this.received.shift() ?? assert.fail();
  }

  /** Returns the code of the reply to a call, `ok` on success. */
  async code(id: number): Promise<string> {
    const { what, id: replied, reply } = await this.next();
    assert.deepEqual([what, replied], ['reply', id]);
    return reply?.code || 'ok';
  }
}

async function pair(scope: Scope, clientLimits?: ClientLimits) {
  const { fixture, endpoint } = await BackendFixture.start(scope, { clientLimits });
  const caller = await Caller.join(fixture, endpoint, 'caller');
  const callee = await Caller.join(fixture, endpoint, 'callee');
  return { fixture, endpoint, caller, callee };
}

describe('calls at the backend', () => {
  it('backend: a call is dispatched, and its reply returns under the slot of the caller', async (t) => {
    const { fixture, caller, callee } = await pair(scopeOf(t));
    await caller.call(7, 'callee');
    const { id, generation, message } = await callee.next();
    assert.equal(message?.eventName, 'callee');
    await callee.reply(id, generation);
    assert.equal(await caller.code(7), 'ok');
    const { calls, ok } = fixture.broker.stats();
    assert.deepEqual([calls, ok], [1, 1]);
  });

  it('backend: a worker that did not announce calls cannot call', async (t) => {
    const { fixture, endpoint } = await pair(scopeOf(t));
    const quiet = await Caller.join(fixture, endpoint, 'quiet', { calls: undefined });
    await quiet.call(1, 'callee');
    await fixture.drops.waitFor('foreign-reply');
    assert.equal(fixture.broker.stats().submitted, 0);
  });

  it('backend: a request record of a worker is not a call', async (t) => {
    const { fixture, caller } = await pair(scopeOf(t));
    const batch = new PackedBatch();
    batch.addRequest(1, 1, makeRequest({ eventName: 'callee' }));
    await caller.socket.send(batch.take());
    await fixture.drops.waitFor('foreign-reply');
    assert.equal(fixture.broker.stats().submitted, 0);
  });

  for (const [name, eventName, depth, code] of [
    ['reserved event', '$router.info', 1, 'NOT_PERMITTED'],
    ['reserved name', '$hello', 1, 'NOT_PERMITTED'],
    ['depth beyond the limit', 'callee', 17, 'LOOP'],
    ['event without a worker', 'nothing', 1, 'NO_WORKER'],
  ] as const) {
    it(`backend: a call, ${name}: ${code}, not dispatched`, async (t) => {
      const { caller } = await pair(scopeOf(t));
      await caller.call(1, eventName, { depth });
      const { reply } = await caller.next();
      assert.deepEqual([reply?.code, reply?.dispatched], [code, false]);
    });
  }

  it('backend: a worker with too many calls in flight gets BUSY, as a client does', async (t) => {
    const { fixture, caller, callee } = await pair(scopeOf(t), { maxInFlight: 3 });
    for (let id = 1; id <= 10; id += 1) await caller.call(id, 'callee');
    const codes = [];
    for (let id = 4; id <= 10; id += 1) codes.push(await caller.code(id));
    assert.deepEqual(codes, Array(7).fill('BUSY'));
    assert.equal(fixture.broker.stats().submitted, 3);
    for (let id = 1; id <= 3; id += 1) {
      const request = await callee.next();
      await callee.reply(request.id, request.generation);
      assert.equal(await caller.code(id), 'ok');
    }
  });

  it('backend: a worker that exceeds the rate gets BUSY, as a client does', async (t) => {
    const { caller } = await pair(scopeOf(t), { rate: 0.001, burst: 1 });
    await caller.call(1, 'nothing');
    await caller.call(2, 'nothing');
    assert.deepEqual([await caller.code(1), await caller.code(2)], ['NO_WORKER', 'BUSY']);
  });

  it('backend: a cancelled call is cancelled at its worker; a foreign slot changes nothing', async (t) => {
    const { fixture, caller, callee } = await pair(scopeOf(t));
    await caller.call(5, 'callee');
    const request = await callee.next();
    await callee.cancel(5);
    await caller.cancel(6);
    await caller.cancel(5);
    const { what, id, generation } = await callee.next();
    assert.deepEqual([what, id, generation], ['cancel', request.id, request.generation]);
    assert.equal(fixture.broker.stats().failures.CANCELLED, 1);
  });

  it('backend: the calls of a worker that disconnects are cancelled', async (t) => {
    const { fixture, caller, callee } = await pair(scopeOf(t));
    await caller.call(5, 'callee');
    await caller.call(6, 'callee');
    await callee.next();
    caller.socket.close();
    assert.equal((await callee.next()).what, 'cancel');
    const { queued, dispatched, abandoned } = fixture.broker.stats();
    assert.deepEqual({ queued, dispatched, abandoned }, { queued: 0, dispatched: 0, abandoned: 1 });
  });

  it('backend: a worker that says goodbye still calls for the request that it holds', async (t) => {
    const { fixture, endpoint, caller, callee } = await pair(scopeOf(t));
    await callee.call(1, 'caller');
    const held = await caller.next();
    await caller.socket.send(controlFrames('$bye', {}));
    const { id: parent, generation } = held;
    await caller.call(2, 'callee', { id: parent, generation, depth: 2 });
    const inner = await callee.next();
    assert.equal(inner.message?.eventName, 'callee');
    await callee.reply(inner.id, inner.generation);
    assert.equal(await caller.code(2), 'ok');
    await caller.reply(parent, generation);
    assert.equal(await callee.code(1), 'ok');
    assert.ok(fixture.notices.includes('caller left: goodbye'));
    assert.ok(endpoint.startsWith('tcp://'));
  });

  it('backend: a worker that has left gets NOT_PERMITTED', async (t) => {
    const { fixture, caller } = await pair(scopeOf(t));
    await caller.socket.send(controlFrames('$bye', {}));
    await fixture.waitFor(() => fixture.notices.includes('caller left: goodbye'), 'the goodbye');
    await caller.call(1, 'callee');
    assert.equal(await caller.code(1), 'NOT_PERMITTED');
  });

  it('backend: a call with a slot in use replaces the call before, which is cancelled', async (t) => {
    const { fixture, caller, callee } = await pair(scopeOf(t));
    await caller.call(1, 'callee');
    const first = await callee.next();
    await caller.call(1, 'callee');
    assert.deepEqual((await callee.next()).what, 'cancel');
    await callee.reply(first.id, first.generation);
    const second = await callee.next();
    await callee.reply(second.id, second.generation);
    assert.equal(await caller.code(1), 'ok');
    assert.equal(fixture.broker.stats().dispatched, 0);
  });
});
