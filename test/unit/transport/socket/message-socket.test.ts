/** Real sockets: order, refused messages, handlers that throw, and closing with unsent messages. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import {
  MessageSocket,
  type MessageSocketOptions,
  type Refusal,
  type SendHandler,
} from '../../../../src/transport/socket/message-socket.ts';
import { anyEndpoint, freeEndpoint } from '../../../helpers/endpoints.ts';
import { within } from '../../../helpers/eventually.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { isCut, rawDealer } from '../../../helpers/raw.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { ALL_TRANSPORTS } from '../../../integration/framework.ts';

failOnLeftovers();

/** A socket and what it received. */
class Peer {
  readonly messages: string[] = [];
  readonly socket: MessageSocket;
  onMessage: (frames: Buffer[]) => void = () => undefined;
  private awaited: { count: number; done: () => void } | undefined;

  constructor(scope: Scope, options: MessageSocketOptions) {
    this.socket = new MessageSocket(options, {
      message: (frames) => {
        this.messages.push(frames.map(String).join('|'));
        if (this.messages.length === this.awaited?.count) this.awaited.done();
        this.onMessage(frames);
      },
    });
    scope.after(() => this.socket.close());
  }

  async received(count: number): Promise<string[]> {
    if (this.messages.length < count) {
      const { promise, resolve } = withResolvers();
      this.awaited = { count, done: resolve };
      await within(promise, `${count} messages`);
    }
    return this.messages;
  }
}

const frames = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const ignore: SendHandler = { refused: () => undefined };

for (const transport of ALL_TRANSPORTS) {
  describe(`MessageSocket over ${transport}`, () => {
    it(`MessageSocket over ${transport}: sends thousands of messages of one turn in order`, async (t) => {
      const scope = scopeOf(t);
      const router = new Peer(scope, { type: 'router', receiveHighWaterMark: 100_000 });
      const endpoint = await router.socket.bind(toConnection(anyEndpoint(scope, transport)));
      const dealer = new Peer(scope, { type: 'dealer', routingId: 'd', sendHighWaterMark: 100_000 });
      dealer.socket.connect(toConnection(endpoint));
      const sent = Array.from({ length: 5000 }, (_, n) => `d|${n}`);
      for (let n = 0; n < 5000; n += 1) dealer.socket.send(frames(String(n)), ignore);
      assert.deepEqual(await router.received(5000), sent);
    });

    it(`MessageSocket over ${transport}: sends all accepted messages before it closes`, async (t) => {
      const scope = scopeOf(t);
      const dealer = new Peer(scope, { type: 'dealer', routingId: 'd', receiveHighWaterMark: 100_000 });
      const router = new Peer(scope, { type: 'router', sendHighWaterMark: 100_000 });
      dealer.socket.connect(
        toConnection(await router.socket.bind(toConnection(anyEndpoint(scope, transport)))),
      );
      dealer.socket.send(frames('hello'), ignore);
      await router.received(1);
      for (let n = 0; n < 3000; n += 1) router.socket.send(frames('d', String(n)), ignore);
      router.socket.close();
      assert.deepEqual(
        await dealer.received(3000),
        Array.from({ length: 3000 }, (_, n) => String(n)),
      );
    });
  });
}

describe('sends of a MessageSocket', () => {
  const refusal = async (socket: MessageSocket, ...texts: string[]): Promise<Refusal | undefined> => {
    return socket.deliver(frames(...texts));
  };

  it('MessageSocket: refuses a message to an unknown peer', async (t) => {
    const scope = scopeOf(t);
    const router = new Peer(scope, { type: 'router' });
    await router.socket.bind(toConnection('tcp://127.0.0.1:0'));
    assert.equal(await refusal(router.socket, 'unknown', 'x'), 'EHOSTUNREACH');
    const dealer = new Peer(scope, { type: 'dealer' });
    assert.equal(await refusal(dealer.socket, 'x'), 'EAGAIN');
  });

  it('MessageSocket: refuses a message to a peer whose queue is full', async (t) => {
    const scope = scopeOf(t);
    const router = new Peer(scope, { type: 'router', sendHighWaterMark: 5 });
    const endpoint = await router.socket.bind(toConnection(anyEndpoint(scope, 'inproc')));
    const dealer = new Peer(scope, { type: 'dealer', routingId: 'd', receiveHighWaterMark: 5 });
    dealer.socket.pause();
    dealer.socket.connect(toConnection(endpoint));
    dealer.socket.send(frames('hello'), ignore);
    await router.received(1);
    const outcomes = new Set<Refusal | undefined>();
    for (let n = 0; n < 50; n += 1) outcomes.add(await refusal(router.socket, 'd', 'x'));
    assert.deepEqual([...outcomes], [undefined, 'EAGAIN']);
    dealer.socket.resume();
    await dealer.received(10);
  });

  it('MessageSocket: refuses a message after it was closed', async (t) => {
    const dealer = new Peer(scopeOf(t), { type: 'dealer' });
    dealer.socket.close();
    dealer.socket.close();
    assert.equal(await refusal(dealer.socket, 'x'), 'CLOSED');
    dealer.socket.reconnect(toConnection('tcp://127.0.0.1:1'));
  });

  it('MessageSocket: sends further messages after a send handler throws', async (t) => {
    const scope = scopeOf(t);
    const router = new Peer(scope, { type: 'router', sendHighWaterMark: 1000 });
    const dealer = new Peer(scope, { type: 'dealer', routingId: 'd' });
    dealer.socket.connect(toConnection(await router.socket.bind(toConnection('tcp://127.0.0.1:0'))));
    dealer.socket.send(frames('hello'), ignore);
    await router.received(1);
    const warned = once(process, 'warning');
    const thrower: SendHandler = {
      refused: () => {
        throw new Error('planted');
      },
    };
    for (let n = 0; n < 600; n += 1) router.socket.send(frames('d', 'x'), ignore);
    router.socket.send(frames('unknown', 'x'), thrower);
    router.socket.send(frames('d', 'last'), ignore);
    assert.equal((await dealer.received(601))[600], 'last');
    const [warning] = (await warned) as [Error];
    assert.equal(warning.message, 'planted');
  });
});

describe('receiver of a MessageSocket', () => {
  it('MessageSocket: keeps reading after its receiver throws', async (t) => {
    const scope = scopeOf(t);
    const router = new Peer(scope, { type: 'router' });
    const endpoint = await router.socket.bind(toConnection('tcp://127.0.0.1:0'));
    router.onMessage = (message) => {
      if (String(message[1]) === 'bad') throw new Error('planted');
    };
    const warned = once(process, 'warning');
    const raw = rawDealer(scope, endpoint, 'r');
    for (const text of ['bad', 'good']) await raw.send(text);
    assert.deepEqual(await router.received(2), ['r|bad', 'r|good']);
    await warned;
  });

  it('MessageSocket: leaves messages in libzmq while it is paused', async (t) => {
    const scope = scopeOf(t);
    const router = new Peer(scope, { type: 'router' });
    const endpoint = await router.socket.bind(toConnection('tcp://127.0.0.1:0'));
    const raw = rawDealer(scope, endpoint, 'r');
    await raw.send('first');
    await router.received(1);
    router.socket.pause();
    // One read is already in progress.
    for (const text of ['second', 'third', 'fourth']) await raw.send(text);
    await router.received(2);
    for (let n = 0; n < 20; n += 1) await turn();
    assert.equal(router.messages.length, 2);
    router.socket.resume();
    assert.deepEqual(await router.received(4), ['r|first', 'r|second', 'r|third', 'r|fourth']);
  });

  it('MessageSocket: delivers nothing after it was closed', async (t) => {
    const scope = scopeOf(t);
    const router = new Peer(scope, { type: 'router' });
    const endpoint = await router.socket.bind(toConnection('tcp://127.0.0.1:0'));
    router.onMessage = () => router.socket.close();
    const raw = rawDealer(scope, endpoint, 'r');
    const gone = isCut(raw);
    for (let n = 0; n < 100; n += 1) await raw.send(String(n));
    await gone;
    assert.deepEqual(router.messages, ['r|0']);
  });
});

describe('addresses of a MessageSocket', () => {
  it('MessageSocket: can bind an address as soon as its last socket was closed', async (t) => {
    const scope = scopeOf(t);
    for (const transport of ALL_TRANSPORTS) {
      let endpoint = anyEndpoint(scope, transport);
      for (let round = 0; round < 10; round += 1) {
        const { socket } = new Peer(scope, { type: 'router' });
        endpoint = await socket.bind(toConnection(endpoint));
        socket.close();
      }
    }
  });
});

describe('reconnect intervals', () => {
  it('MessageSocket: has its own reconnect interval, so that many sockets do not reconnect at once', async (t) => {
    const scope = scopeOf(t);
    const { port } = new URL(await freeEndpoint(scope, 'tcp'));
    const first = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const { socket } = new Peer(scope, { type: 'dealer', linger: 0 });
        const retry = once(socket.monitor, 'connect:retry') as Promise<[{ interval?: number }]>;
        socket.connect(toConnection(`tcp://127.0.0.1:${port}`));
        const [{ interval = 0 }] = await within(retry, 'an attempt');
        return interval;
      }),
    );
    assert.ok(
      first.every((interval) => interval >= 75 && interval <= 113),
      first.join(' '),
    );
    assert.ok(new Set(first).size > 3, first.join(' '));
  });
});
