/** Calls of a worker over fake connections: where they go, and how they end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallParent } from '../../../src/core/messages/calls.ts';
import { failure, type ReplyMessage } from '../../../src/core/messages/message.ts';
import { type CallLink, WorkerCalls } from '../../../src/worker/worker-calls.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeReply, makeRequest } from '../wire/messages.ts';

class FakeLink implements CallLink {
  connected = true;
  takesCalls = true;
  readonly sent: { id: number; generation: number; timeLeft: number; parent: CallParent }[] = [];
  readonly cancelled: number[] = [];

  constructor(readonly endpoint: string) {}

  sendCall(id: number, generation: number, { timeLeft }: { timeLeft: number }, parent: CallParent): void {
    this.sent.push({ id, generation, timeLeft, parent });
  }

  cancelCall(id: number): void {
    this.cancelled.push(id);
  }
}

const PARENT = { id: 3, generation: 9, depth: 2 };

function scene(count = 2) {
  const clock = new FakeClock();
  const links = Array.from({ length: count }, (_, n) => new FakeLink(`tcp://r${n}`));
  const calls = new WorkerCalls(() => links, clock);
  const replies: ReplyMessage[] = [];
  const start = (members: Parameters<typeof makeRequest>[0] = {}) =>
    calls.start(links[0] ?? assert.fail(), PARENT, makeRequest(members), (reply) => replies.push(reply));
  const reply = (link: FakeLink, message: ReplyMessage) => {
    const { id, generation } = link.sent.at(-1) ?? assert.fail();
    return calls.replied(link, id, generation, message);
  };
  const codes = (): string[] => replies.map(({ code, dispatched }) => `${code || 'ok'} ${dispatched}`);
  const [first = assert.fail(), second = first] = links;
  return { clock, first, second, links, calls, replies, start, reply, codes };
}

const noWorker = failure('NO_WORKER', 'no worker');

describe('WorkerCalls', () => {
  it('WorkerCalls: sends a call on the connection of its request, with the key of that request', () => {
    const { first, second, start, reply, codes, calls } = scene();
    start();
    assert.deepEqual(first.sent[0]?.parent, PARENT);
    assert.equal(second.sent.length, 0);
    assert.equal(reply(first, makeReply()), undefined);
    assert.deepEqual([codes(), calls.size], [['ok true'], 0]);
    assert.equal(reply(first, makeReply()), 'late-reply', 'a second reply');
    assert.equal(calls.replied(first, 99, 1, makeReply()), 'foreign-reply', 'a made-up one');
  });

  it('WorkerCalls: uses another connection, without the key, if that one takes no calls', () => {
    const { first, second, start } = scene();
    first.takesCalls = false;
    start();
    assert.deepEqual(second.sent[0]?.parent, { id: 0, generation: 0, depth: 2 });
  });

  it('WorkerCalls: tries each other router once if one has no worker, and reports the last answer', () => {
    const { first, second, clock, start, reply, codes } = scene();
    start({ timeLeft: 1000 });
    clock.advance(400);
    reply(first, noWorker);
    assert.equal(second.sent[0]?.timeLeft, 600);
    reply(second, noWorker);
    assert.deepEqual(codes(), ['NO_WORKER false']);
    assert.equal(first.sent.length, 1);
  });

  it('WorkerCalls: an outcome of a dispatched call is final', () => {
    const { first, second, start, reply, codes } = scene();
    start();
    reply(first, failure('SHUTTING_DOWN', 'stops', { dispatched: true }));
    assert.deepEqual([codes(), second.sent.length], [['SHUTTING_DOWN true'], 0]);
  });

  it('WorkerCalls: ignores the parts of a reply before the last', () => {
    const { first, start, reply, codes } = scene();
    start();
    reply(first, makeReply({ more: true }));
    assert.deepEqual(codes(), []);
    reply(first, makeReply());
    assert.deepEqual(codes(), ['ok true']);
  });

  it('WorkerCalls: a reply on another connection settles nothing', () => {
    const { first, second, calls, start, codes } = scene();
    start();
    const { id, generation } = first.sent[0] ?? assert.fail();
    assert.equal(calls.replied(second, id, generation, makeReply()), 'late-reply');
    assert.deepEqual(codes(), []);
  });

  it('WorkerCalls: a lost connection ends a call with WORKER_LOST; it may have run', () => {
    const { first, second, calls, start, codes } = scene();
    start();
    first.takesCalls = false;
    calls.linkLost(first);
    assert.deepEqual([codes(), second.sent.length], [['WORKER_LOST true'], 0]);
  });

  it('WorkerCalls: sends an idempotent call again, once, and stays honest about the first attempt', () => {
    const { first, second, calls, start, reply, codes } = scene();
    start({ idempotent: true });
    calls.linkLost(first);
    assert.equal(second.sent.length, 1);
    reply(second, noWorker);
    assert.deepEqual(codes(), ['WORKER_LOST true']);
    start({ idempotent: true });
    calls.linkLost(first);
    calls.linkLost(second);
    assert.deepEqual(codes(), ['WORKER_LOST true', 'WORKER_LOST true']);
    assert.equal(calls.size, 0);
  });

  it('WorkerCalls: cancels a call where it was sent', () => {
    const { first, calls, start, codes } = scene();
    const call = start();
    call.cancel();
    call.cancel();
    assert.deepEqual([first.cancelled, calls.size, codes()], [[first.sent[0]?.id], 0, []]);
  });

  it('WorkerCalls: without a connection that takes calls, says what is missing', () => {
    const { links, start, replies } = scene();
    for (const link of links) link.takesCalls = false;
    start();
    for (const link of links) link.connected = false;
    start();
    const texts = replies.map(({ body }) => String(body));
    assert.match(texts[0] ?? '', /CALLS_UNSUPPORTED.*the router at tcp:\/\/r0, tcp:\/\/r1 takes no calls/);
    assert.match(texts[1] ?? '', /NO_ROUTER.*connected to no router/);
  });

  it('WorkerCalls: limits the calls in flight', () => {
    const { calls, start, codes } = scene(1);
    for (let n = 0; n < 10_001; n += 1) start();
    assert.deepEqual([calls.size, codes()], [10_000, ['BUSY false']]);
  });
});
