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

/** A socket that takes what it is told to take. */
class FakeSocket implements Pick<MessageSocket, 'send' | 'deliver'> {
  readonly taken: Buffer[][] = [];
  answer: Refusal | undefined;

  send(frames: Buffer[], handler: SendHandler): void {
    const { answer } = this;
    if (answer === undefined) this.taken.push(frames);
    else queueMicrotask(() => handler.refused(frames, answer));
  }

  deliver(frames: Buffer[]): Promise<Refusal | undefined> {
    if (this.answer === undefined) this.taken.push(frames);
    return Promise.resolve(this.answer);
  }

  get texts(): string[] {
    return this.taken.map((frames) => frames.map(String).join('|'));
  }
}

class Owner implements ChannelOwner {
  readonly told: string[] = [];

  channelGone(unsent: Messages): void {
    this.told.push(`gone ${unsent.map((frames) => frames.map(String).join('|')).join(', ')}`);
  }

  channelStalled(unsent: Messages): void {
    this.told.push(`stalled ${unsent.length}`);
  }

  channelWritable(): void {
    this.told.push('writable');
  }
}

function make(identity: Buffer | undefined = IDENTITY, unread?: UnreadReplies) {
  const socket = new FakeSocket();
  const owner = new Owner();
  const clock = new FakeClock();
  const source = { kind: 'router', node: 'r' } as const;
  const channel = new PeerChannel(
    socket as unknown as MessageSocket,
    identity,
    owner,
    source,
    unread === undefined ? LIMITS : { ...LIMITS, unread },
    clock,
  );
  const post = (...texts: string[]): void => texts.forEach((text) => channel.post([Buffer.from(text)]));
  return { socket, owner, clock, channel, post };
}

describe('a channel', () => {
  it('sends messages at once, with the identity of the peer in front', () => {
    const { socket, post } = make();
    post('a', 'b');
    assert.deepEqual(socket.texts, ['peer|a', 'peer|b']);
  });

  it('has no identity to put in front on a DEALER', () => {
    const { socket, channel } = make(undefined);
    const dealer = new PeerChannel(
      socket as unknown as MessageSocket,
      undefined,
      new Owner(),
      { kind: 'client', node: 'c' },
      LIMITS,
    );
    dealer.post([Buffer.from('a')]);
    assert.deepEqual(socket.texts, ['a']);
    channel.close();
  });

  it('gathers records, and sends them as one message at the end of the turn', async () => {
    const { socket, channel } = make();
    channel.addRequest(1, 1, makeRequest());
    channel.addReply(2, 2, makeReply());
    channel.addCancel(3, 3);
    assert.equal(socket.taken.length, 0);
    await turn();
    await turn();
    const [message = []] = socket.taken;
    const kinds: string[] = [];
    assert.equal(socket.taken.length, 1);
    assert.ok(message[1] !== undefined && isPacked(message[1]));
    readPacked(message, 1, {
      packedRequest: () => kinds.push('request'),
      packedReply: () => kinds.push('reply'),
      packedCancel: () => kinds.push('cancel'),
    });
    assert.deepEqual(kinds, ['request', 'reply', 'cancel']);
  });

  it('does not wait for the end of the turn with a full batch', () => {
    const { socket, channel } = make();
    channel.addReply(1, 1, makeReply({ body: Buffer.alloc(300 * 1024) }));
    assert.equal(socket.taken.length, 1);
    channel.close();
  });
});

describe('a channel whose peer takes nothing', () => {
  it('keeps messages in order, and sends them when the peer takes them again', async () => {
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
    assert.deepEqual(owner.told, ['writable']);
    assert.equal(channel.writable, true);
    assert.equal(clock.pending, 0);
  });

  it('gives up after a while, and tells what never left', async () => {
    const { socket, owner, clock, post } = make();
    socket.answer = 'EAGAIN';
    post('a', 'b');
    await clock.advanceAsync(LIMITS.stallTimeout + 20);
    assert.deepEqual(owner.told, ['stalled 2']);
    assert.equal(clock.pending, 0);
  });

  it('waits longer as long as something is taken now and then', async () => {
    const { socket, owner, clock, post } = make();
    for (let round = 0; round < 4; round += 1) {
      socket.answer = 'EAGAIN';
      post('x');
      await clock.advanceAsync(30);
      socket.answer = undefined;
      await clock.advanceAsync(20);
    }
    assert.equal(socket.taken.length, 4);
    assert.ok(!owner.told.some((what) => what.startsWith('stalled')), owner.told.join());
  });

  it('holds no more bytes than it may', async () => {
    const { socket, owner, post } = make();
    socket.answer = 'EAGAIN';
    post('x'.repeat(90));
    await turn();
    post('the last one that is taken');
    assert.deepEqual(owner.told, []);
    post('one too many');
    assert.deepEqual(owner.told, ['stalled 3']);
  });

  it('does not count as unsent what the socket has just been given', async () => {
    const { socket, owner, clock, post } = make();
    socket.answer = 'EAGAIN';
    post('first', 'x'.repeat(120));
    await turn();
    socket.answer = undefined;
    clock.advance(20);
    post('one too many');
    assert.deepEqual(owner.told, ['stalled 2']);
    await turn();
    assert.deepEqual(socket.texts, ['peer|first']);
  });

  it('forgets all when it is reset, and goes on', async () => {
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

describe('a channel that counts what its peer does not read', () => {
  it('counts what libzmq may hold and what waits, until the peer takes messages again', async () => {
    const unread = new UnreadReplies();
    const { socket, clock, channel, post } = make(IDENTITY, unread);
    for (let at = 0; at < 130; at += 1) post('123456');
    assert.equal(unread.bytes, 0);
    socket.answer = 'EAGAIN';
    post('123456');
    await turn();
    // The last 50 to 100 messages, and the one that waits: it counts among them too.
    assert.deepEqual([unread.bytes, unread.clients], [82 * 10, 1]);
    post('abcdef');
    assert.equal(unread.bytes, 83 * 10);
    assert.equal(channel.crowded, false);
    socket.answer = undefined;
    await clock.advanceAsync(20);
    assert.deepEqual([unread.bytes, unread.clients], [0, 0]);
    assert.equal(clock.pending, 0);
  });

  it('keeps the oldest message of a peer that takes nothing for too long, and drops the others', async () => {
    const unread = new UnreadReplies();
    const { socket, owner, clock, channel, post } = make(IDENTITY, unread);
    socket.answer = 'EAGAIN';
    post('a', 'b', 'c');
    await clock.advanceAsync(LIMITS.stallTimeout + 20);
    assert.deepEqual(owner.told, ['stalled 2']);
    assert.equal(channel.crowded, true);
    post('d');
    assert.deepEqual(owner.told, ['stalled 2', 'stalled 1']);
    assert.ok(unread.bytes > 0);
    socket.answer = undefined;
    await clock.advanceAsync(300);
    assert.deepEqual(socket.texts, ['peer|a']);
    assert.deepEqual([channel.crowded, unread.bytes, clock.pending], [false, 0, 0]);
    post('e');
    assert.deepEqual(socket.texts, ['peer|a', 'peer|e']);
  });

  it('drops only the newest message when there is no room, and says that the peer should not ask for more', async () => {
    const { socket, owner, channel, post } = make(IDENTITY, new UnreadReplies());
    socket.answer = 'EAGAIN';
    post('x'.repeat(40));
    await turn();
    assert.equal(channel.crowded, false);
    post('x'.repeat(60));
    assert.equal(channel.crowded, true);
    post('one too many');
    assert.deepEqual(owner.told, ['stalled 1']);
    channel.close();
  });

  it('drops messages of the peer with more than its part once the bound of all is reached, not of others', async () => {
    const unread = new UnreadReplies();
    const deaf = make(IDENTITY, unread);
    const busy = make(IDENTITY, unread);
    deaf.post('x'.repeat(unread.limit));
    deaf.socket.answer = 'EAGAIN';
    busy.socket.answer = 'EAGAIN';
    deaf.post('a');
    busy.post('a');
    await turn();
    deaf.post('b');
    busy.post('b');
    assert.deepEqual([deaf.owner.told, busy.owner.told], [['stalled 1'], []]);
    assert.deepEqual([deaf.channel.crowded, busy.channel.crowded], [true, false]);
    deaf.channel.close();
    busy.channel.close();
    assert.deepEqual([unread.bytes, unread.clients], [0, 0]);
  });
});

describe('a channel whose peer is gone', () => {
  it('tells it once, with all that never left', async () => {
    const { socket, owner, channel, post } = make();
    socket.answer = 'EHOSTUNREACH';
    post('a', 'b');
    await turn();
    assert.deepEqual(owner.told, ['gone peer|a, peer|b']);
    post('c');
    await turn();
    assert.equal(channel.writable, false);
    assert.equal(owner.told.length, 1);
  });

  it('tells of what was waiting and gathered too', async () => {
    const { socket, owner, clock, channel, post } = make();
    socket.answer = 'EAGAIN';
    post('a');
    await turn();
    post('b');
    channel.addCancel(1, 2);
    socket.answer = 'EHOSTUNREACH';
    await clock.advanceAsync(20);
    await turn();
    assert.match(owner.told.join(), /^gone peer\|a, peer\|b, peer\|\0ZG/);
    assert.equal(clock.pending, 0);
  });

  it('says nothing when it was closed before', async () => {
    const { socket, owner, channel, post } = make();
    socket.answer = 'CLOSED';
    post('a');
    channel.close();
    await turn();
    assert.deepEqual(owner.told, []);
  });
});
