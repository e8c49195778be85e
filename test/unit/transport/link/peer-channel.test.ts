import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { UnreadReplies } from '../../../../src/core/messages/unread-replies.ts';
import {
  type ChannelOwner,
  type Messages,
  PeerChannel,
} from '../../../../src/transport/link/peer-channel.ts';
import type { MessageSocket, Refusal, SendHandler } from '../../../../src/transport/socket/message-socket.ts';
import { isPacked, readPacked } from '../../../../src/wire/packed.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';

const LIMITS = { backlogBytes: 100, stallTimeout: 50 };
const IDENTITY = Buffer.from('peer');

/** A socket that accepts every message, or refuses it with `answer`. */
class FakeSocket implements Pick<MessageSocket, 'send' | 'deliver'> {
  readonly sent: Buffer[][] = [];
  answer: Refusal | undefined;

  send(frames: Buffer[], handler: SendHandler): void {
    const { answer } = this;
    if (answer === undefined) this.sent.push(frames);
    else queueMicrotask(() => handler.refused(frames, answer));
  }

  deliver(frames: Buffer[]): Promise<Refusal | undefined> {
    if (this.answer === undefined) this.sent.push(frames);
    return Promise.resolve(this.answer);
  }

  get texts(): string[] {
    return this.sent.map((frames) => frames.map(String).join('|'));
  }
}

class Owner implements ChannelOwner {
  readonly events: string[] = [];

  channelGone(unsent: Messages): void {
    this.events.push(`gone ${unsent.map((frames) => frames.map(String).join('|')).join(', ')}`);
  }

  channelStalled(unsent: Messages): void {
    this.events.push(`stalled ${unsent.length}`);
  }

  channelWritable(): void {
    this.events.push('writable');
  }
}

function make(identity: Buffer | undefined = IDENTITY, unread?: UnreadReplies) {
  const socket = new FakeSocket();
  const owner = new Owner();
  const clock = new FakeClock();
  const source = { kind: 'router', node: 'r' } as const;
  const channel = new PeerChannel({
    socket: socket as unknown as MessageSocket,
    identity,
    owner,
    source,
    limits: unread === undefined ? LIMITS : { ...LIMITS, unread },
    clock,
  });
  const post = (...texts: string[]): void => texts.forEach((text) => channel.post([Buffer.from(text)]));
  return { socket, owner, clock, channel, post };
}

describe('PeerChannel', () => {
  it('PeerChannel: sends messages at once, after the identity of the peer', () => {
    const { socket, post } = make();
    post('a', 'b');
    assert.deepEqual(socket.texts, ['peer|a', 'peer|b']);
  });

  it('PeerChannel: adds no identity on a DEALER', () => {
    const { socket, channel } = make(undefined);
    const dealer = new PeerChannel({
      socket: socket as unknown as MessageSocket,
      identity: undefined,
      owner: new Owner(),
      source: { kind: 'client', node: 'c' },
      limits: LIMITS,
    });
    dealer.post([Buffer.from('a')]);
    assert.deepEqual(socket.texts, ['a']);
    channel.close();
  });

  it('PeerChannel: sends the records of a turn as one message', async () => {
    const { socket, channel } = make();
    channel.addRequest(1, 1, makeRequest());
    channel.addReply(2, 2, makeReply());
    channel.addCancel(3, 3);
    assert.equal(socket.sent.length, 0);
    await turn();
    await turn();
    const [message = []] = socket.sent;
    const kinds: string[] = [];
    assert.equal(socket.sent.length, 1);
    assert.ok(message[1] !== undefined && isPacked(message[1]));
    readPacked(message, 1, {
      packedRequest: () => kinds.push('request'),
      packedReply: () => kinds.push('reply'),
      packedCancel: () => kinds.push('cancel'),
    });
    assert.deepEqual(kinds, ['request', 'reply', 'cancel']);
  });

  it('PeerChannel: sends a full batch at once', () => {
    const { socket, channel } = make();
    channel.addReply(1, 1, makeReply({ body: Buffer.alloc(300 * 1024) }));
    assert.equal(socket.sent.length, 1);
    channel.close();
  });
});

describe('PeerChannel to a peer that accepts nothing', () => {
  it('PeerChannel: keeps messages in order until the peer accepts them again', async () => {
    const { socket, owner, clock, channel, post } = make();
    socket.answer = 'EAGAIN';
    post('a', 'b');
    await turn();
    assert.equal(channel.writable, false);
    post('c');
    await clock.advanceAsync(20);
    assert.deepEqual(socket.texts, []);
    socket.answer = undefined;
    await clock.advanceAsync(20);
    assert.deepEqual(socket.texts, ['peer|a', 'peer|b', 'peer|c']);
    assert.deepEqual(owner.events, ['writable']);
    assert.equal(channel.writable, true);
    assert.equal(clock.pending, 0);
  });

  it('PeerChannel: gives up after the stall timeout, and reports the unsent messages', async () => {
    const { socket, owner, clock, post } = make();
    socket.answer = 'EAGAIN';
    post('a', 'b');
    await clock.advanceAsync(LIMITS.stallTimeout + 20);
    assert.deepEqual(owner.events, ['stalled 2']);
    assert.equal(clock.pending, 0);
  });

  it('PeerChannel: keeps waiting while the peer accepts a message now and then', async () => {
    const { socket, owner, clock, post } = make();
    for (let round = 0; round < 4; round += 1) {
      socket.answer = 'EAGAIN';
      post('x');
      await clock.advanceAsync(30);
      socket.answer = undefined;
      await clock.advanceAsync(20);
    }
    assert.equal(socket.sent.length, 4);
    assert.ok(!owner.events.some((what) => what.startsWith('stalled')), owner.events.join());
  });

  it('PeerChannel: drops messages beyond its limit of bytes', async () => {
    const { socket, owner, post } = make();
    socket.answer = 'EAGAIN';
    post('x'.repeat(90));
    await turn();
    post('the last one that is kept');
    assert.deepEqual(owner.events, []);
    post('one too many');
    assert.deepEqual(owner.events, ['stalled 3']);
  });

  it('PeerChannel: does not report a message as unsent while the socket has it', async () => {
    const { socket, owner, clock, post } = make();
    socket.answer = 'EAGAIN';
    post('first', 'x'.repeat(120));
    await turn();
    socket.answer = undefined;
    clock.advance(20);
    post('one too many');
    assert.deepEqual(owner.events, ['stalled 2']);
    await turn();
    assert.deepEqual(socket.texts, ['peer|first']);
  });

  it('PeerChannel: drops waiting messages on reset, and continues', async () => {
    const { socket, clock, channel, post } = make();
    socket.answer = 'EAGAIN';
    post('old');
    await turn();
    channel.addReply(1, 1, makeReply());
    channel.reset();
    socket.answer = undefined;
    await clock.advanceAsync(100);
    await turn();
    assert.deepEqual(socket.texts, []);
    post('new');
    assert.deepEqual(socket.texts, ['peer|new']);
  });
});

describe('PeerChannel that counts unread messages', () => {
  it('PeerChannel: counts bytes in libzmq and waiting bytes until the peer accepts messages again', async () => {
    const unread = new UnreadReplies();
    const { socket, clock, channel, post } = make(IDENTITY, unread);
    for (let at = 0; at < 130; at += 1) post('123456');
    assert.equal(unread.bytes, 0);
    socket.answer = 'EAGAIN';
    post('123456');
    await turn();
    // The last 50 to 100 messages, including the one that waits.
    assert.deepEqual([unread.bytes, unread.clients], [82 * 10, 1]);
    post('abcdef');
    assert.equal(unread.bytes, 83 * 10);
    assert.equal(channel.congested, false);
    socket.answer = undefined;
    await clock.advanceAsync(20);
    assert.deepEqual([unread.bytes, unread.clients], [0, 0]);
    assert.equal(clock.pending, 0);
  });

  it('PeerChannel: keeps only the oldest message after the stall timeout', async () => {
    const unread = new UnreadReplies();
    const { socket, owner, clock, channel, post } = make(IDENTITY, unread);
    socket.answer = 'EAGAIN';
    post('a', 'b', 'c');
    await clock.advanceAsync(LIMITS.stallTimeout + 20);
    assert.deepEqual(owner.events, ['stalled 2']);
    assert.equal(channel.congested, true);
    post('d');
    assert.deepEqual(owner.events, ['stalled 2', 'stalled 1']);
    assert.ok(unread.bytes > 0);
    socket.answer = undefined;
    await clock.advanceAsync(300);
    assert.deepEqual(socket.texts, ['peer|a']);
    assert.deepEqual([channel.congested, unread.bytes, clock.pending], [false, 0, 0]);
    post('e');
    assert.deepEqual(socket.texts, ['peer|a', 'peer|e']);
  });

  it('PeerChannel: drops the newest message beyond its limit, and reports congestion', async () => {
    const { socket, owner, channel, post } = make(IDENTITY, new UnreadReplies());
    socket.answer = 'EAGAIN';
    post('x'.repeat(40));
    await turn();
    assert.equal(channel.congested, false);
    post('x'.repeat(60));
    assert.equal(channel.congested, true);
    post('one too many');
    assert.deepEqual(owner.events, ['stalled 1']);
    channel.close();
  });

  it('PeerChannel: drops messages only of peers above their share once the total limit is reached', async () => {
    const unread = new UnreadReplies();
    const stalled = make(IDENTITY, unread);
    const busy = make(IDENTITY, unread);
    stalled.post('x'.repeat(unread.limit));
    stalled.socket.answer = 'EAGAIN';
    busy.socket.answer = 'EAGAIN';
    stalled.post('a');
    busy.post('a');
    await turn();
    stalled.post('b');
    busy.post('b');
    assert.deepEqual([stalled.owner.events, busy.owner.events], [['stalled 1'], []]);
    assert.deepEqual([stalled.channel.congested, busy.channel.congested], [true, false]);
    stalled.channel.close();
    busy.channel.close();
    assert.deepEqual([unread.bytes, unread.clients], [0, 0]);
  });
});

describe('PeerChannel to a peer that has left', () => {
  it('PeerChannel: reports once that the peer has left, with all unsent messages', async () => {
    const { socket, owner, channel, post } = make();
    socket.answer = 'EHOSTUNREACH';
    post('a', 'b');
    await turn();
    assert.deepEqual(owner.events, ['gone peer|a, peer|b']);
    post('c');
    await turn();
    assert.equal(channel.writable, false);
    assert.equal(owner.events.length, 1);
  });

  it('PeerChannel: includes waiting messages and gathered records in the report', async () => {
    const { socket, owner, clock, channel, post } = make();
    socket.answer = 'EAGAIN';
    post('a');
    await turn();
    post('b');
    channel.addCancel(1, 2);
    socket.answer = 'EHOSTUNREACH';
    await clock.advanceAsync(20);
    await turn();
    assert.match(owner.events.join(), /^gone peer\|a, peer\|b, peer\|\0ZG/);
    assert.equal(clock.pending, 0);
  });

  it('PeerChannel: reports nothing after it was closed', async () => {
    const { socket, owner, channel, post } = make();
    socket.answer = 'CLOSED';
    post('a');
    channel.close();
    await turn();
    assert.deepEqual(owner.events, []);
  });
});
