/** Calls of a worker over fake connections: where they go, and how they end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallParent } from '../../../src/core/messages/calls.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../../src/core/messages/message.ts';
import { type CallLink, WorkerCalls } from '../../../src/worker/worker-calls.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeReply, makeRequest } from '../wire/messages.ts';

class FakeLink implements CallLink {
  connected = true;
  takesCalls = true;
  takesCallStreams = true;
  readonly sent: { id: number; generation: number; timeLeft: number; parent: CallParent }[] = [];
  readonly messages: RequestMessage[] = [];
  readonly cancelled: number[] = [];
  readonly chunks: string[] = [];
  readonly granted: number[] = [];

  constructor(readonly endpoint: string) {}

  sendCall(id: number, generation: number, message: RequestMessage, parent: CallParent): void {
    this.sent.push({ id, generation, timeLeft: message.timeLeft, parent });
    this.messages.push(message);
  }

  sendCallChunk(_id: number, _generation: number, body: Buffer, end: boolean): void {
    this.chunks.push(`${String(body)}${end ? '.' : ''}`);
  }

  grantCall(_id: number, _generation: number, bytes: number): void {
    this.granted.push(bytes);
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

describe('WorkerCalls: streams', () => {
  function streamScene(members: Parameters<typeof makeRequest>[0] = {}) {
    const made = scene();
    const { calls, first, replies } = made;
    const seen: string[] = [];
    const port = {
      window: 1000,
      upload: members.upload === true,
      onChunk: ({ body }: ReplyMessage) => seen.push(String(body)),
      onWindow: (bytes: number) => seen.push(`window ${bytes}`),
    };
    const open = () =>
      calls.startStream(
        first,
        PARENT,
        makeRequest({ window: 1000, ...members }),
        (reply) => replies.push(reply),
        port,
      );
    const chunk = (text: string) =>
      made.reply(first, { ...makeReply(), more: true, body: Buffer.from(text) });
    return { ...made, seen, open, chunk };
  }

  it('WorkerCalls: passes chunks, grants and the last part of a stream on', () => {
    const { first, open, chunk, reply, seen, codes, calls } = streamScene({ upload: true });
    const inFlight = open();
    const { id, generation } = first.sent[0] ?? assert.fail();
    assert.deepEqual([first.messages[0]?.window, first.messages[0]?.upload], [1000, true]);
    calls.granted(first, id, generation, 50);
    inFlight.sendChunk(Buffer.from('up'), true);
    chunk('a');
    chunk('b');
    inFlight.grant(7);
    assert.deepEqual([seen, first.chunks, first.granted], [['window 50', 'a', 'b'], ['up.'], [7]]);
    reply(first, makeReply());
    inFlight.grant(7);
    inFlight.sendChunk(Buffer.from('late'), true);
    calls.granted(first, id, generation, 50);
    assert.deepEqual([codes(), first.granted.length, first.chunks.length], [['ok true'], 1, 1]);
    assert.equal(seen.length, 3, 'nothing after the last part');
  });

  it('WorkerCalls: a stream is not sent again once it flows', () => {
    const before = streamScene({ idempotent: true });
    before.open();
    before.calls.linkLost(before.first);
    assert.deepEqual([before.second.sent.length, before.codes()], [1, []], 'no chunk has arrived');
    const after = streamScene({ idempotent: true });
    after.open();
    after.chunk('a');
    after.calls.linkLost(after.first);
    assert.deepEqual([after.second.sent.length, after.codes()], [0, ['WORKER_LOST true']]);
  });

  it('WorkerCalls: a router without streams of calls gets the whole call, and no upload', () => {
    const { first, second, open } = streamScene();
    for (const link of [first, second]) link.takesCallStreams = false;
    open();
    assert.equal(first.messages[0]?.window, undefined);
    const upload = streamScene({ upload: true });
    upload.first.takesCallStreams = false;
    upload.open();
    assert.deepEqual([upload.first.sent.length, upload.second.sent.length], [0, 1]);
    const none = streamScene({ upload: true });
    for (const link of none.links) link.takesCallStreams = false;
    none.open();
    assert.deepEqual(none.codes(), ['STREAMS_UNSUPPORTED false']);
  });
});
