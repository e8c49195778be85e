/** Clients at a frontend: who is known, how each is answered, and when one is forgotten. Time stands still. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import {
  ClientFrontend,
  type ClientFrontendOwner,
  type ClientPeer,
} from '../../../../src/transport/link/client-frontend.ts';
import { requestFrames } from '../../../../src/wire/classic.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { isPacked, PackedBatch } from '../../../../src/wire/packed.ts';
import { encodeToken } from '../../../../src/wire/token.ts';
import { emissions, eventually } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { rawDealer, texts } from '../../../helpers/raw.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';

failOnLeftovers();

interface Asked {
  peer: ClientPeer;
  eventName: string;
  id: number;
  generation: number;
  envelope: Buffer[] | undefined;
}

class Bench implements ClientFrontendOwner {
  readonly clock = new FakeClock();
  readonly asked: Asked[] = [];
  readonly told: string[] = [];
  readonly frontend: ClientFrontend;
  busy = false;
  private readonly changes = new EventEmitter();

  private constructor() {
    const source = { kind: 'router', node: 'r' } as const;
    this.frontend = new ClientFrontend({ source, clock: this.clock }, this);
  }

  static async start(scope: Scope): Promise<{ bench: Bench; endpoint: string }> {
    const bench = new Bench();
    scope.after(() => bench.frontend.close());
    return { bench, endpoint: await bench.frontend.bind(toConnection('tcp://127.0.0.1:0')) };
  }

  request(
    ...[peer, { eventName }, id, generation, envelope]: Parameters<ClientFrontendOwner['request']>
  ): void {
    this.asked.push({ peer, eventName, id, generation, envelope });
    this.changes.emit('change');
  }

  cancel(peer: ClientPeer, id: number, generation: number): void {
    this.tell(`${peer.key} cancels ${id}.${generation}`);
  }

  clientLeft({ key }: ClientPeer): void {
    this.tell(`${key} is gone`);
  }

  idle(): boolean {
    return !this.busy;
  }

  async requests(count: number): Promise<Asked> {
    const find = (): Asked | undefined => this.asked[count - 1];
    return eventually(emissions(this.changes, 'change'), find, `request ${count}`);
  }

  hears(what: string): Promise<boolean> {
    return eventually(emissions(this.changes, 'change'), () => this.told.includes(what), what);
  }

  reply({ peer, eventName, id, generation, envelope }: Asked, members = {}): void {
    peer.reply(eventName, makeReply(members), id, generation, envelope);
  }

  private tell(what: string): void {
    this.told.push(what);
    this.changes.emit('change');
  }
}

describe('a client at a frontend', () => {
  it('is answered as it asked: classic, with metadata, packed', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const classic = rawDealer(scope, endpoint, 'classic');
    await classic.send(['', 'echo', '1']);
    bench.reply(await bench.requests(1), { code: 'X', status: 400 });
    const failed = JSON.stringify({ v: 1, status: 400, code: 'X' });
    assert.deepEqual(texts(await classic.receive()), ['', 'echo', '{"b":2}', failed]);
    const ours = rawDealer(scope, endpoint, 'ours');
    const token = encodeToken(7, 8);
    await ours.send([token, '', ...requestFrames(makeRequest(), true)]);
    const tokened = await bench.requests(2);
    assert.deepEqual([tokened.id, tokened.generation], [7, 8]);
    bench.reply(tokened);
    const [back, , , , metadata] = await ours.receive();
    assert.deepEqual([back, JSON.parse(String(metadata))], [token, { v: 1, status: 200, pack: 1 }]);
    const batch = new PackedBatch();
    batch.addRequest(9, 10, makeRequest());
    await ours.send(batch.take());
    const packed = await bench.requests(3);
    assert.deepEqual([packed.id, packed.generation, packed.envelope], [9, 10, undefined]);
    bench.reply(packed);
    const [head = Buffer.alloc(0)] = await ours.receive();
    assert.ok(isPacked(head));
  });

  it('that is classic gets one reply, however many parts there are', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const classic = rawDealer(scope, endpoint, 'classic');
    await classic.send(['', 'echo', '1']);
    const asked = await bench.requests(1);
    bench.reply(asked, { more: true, body: Buffer.from('"part"') });
    bench.reply(asked, { body: Buffer.from('"last"') });
    assert.deepEqual(texts(await classic.receive()), ['', 'echo', '"last"']);
  });

  it('is known from its first message, not from its connection, until it is gone', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const silent = rawDealer(scope, endpoint, 'silent');
    const client = rawDealer(scope, endpoint, 'client');
    await client.send(['', 'echo', '1']);
    await bench.requests(1);
    assert.equal(bench.frontend.size, 1);
    silent.close();
    client.close();
    await bench.hears('client is gone');
    assert.equal(bench.frontend.size, 0);
    assert.deepEqual(bench.told, ['client is gone']);
  });

  it('that says of itself that it is gone leaves no phantom', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const liar = rawDealer(scope, endpoint, 'liar');
    const witness = rawDealer(scope, endpoint, 'witness');
    await liar.send(['', 'echo', '1']);
    await bench.requests(1);
    await liar.send('');
    await bench.hears('liar is gone');
    liar.close();
    await witness.send(['', 'echo', '1']);
    await bench.requests(2);
    assert.equal(bench.frontend.size, 1);
  });

  it('may cancel what it asked', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const client = rawDealer(scope, endpoint, 'client');
    const batch = new PackedBatch();
    batch.addCancel(1, 2);
    await client.send(batch.take());
    await bench.hears('client cancels 1.2');
  });

  it('that is silent and waits for nothing is forgotten, and known again by its next message', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const client = rawDealer(scope, endpoint, 'client');
    await client.send(['', 'echo', '1']);
    await bench.requests(1);
    bench.clock.advance(60_000);
    assert.equal(bench.frontend.size, 1, 'it was heard of since the last look');
    bench.busy = true;
    bench.clock.advance(60_000);
    assert.equal(bench.frontend.size, 1, 'something of it is under way');
    bench.busy = false;
    bench.clock.advance(60_000);
    assert.deepEqual([bench.frontend.size, bench.told], [0, ['client is gone']]);
    await client.send(['', 'echo', '2']);
    bench.reply(await bench.requests(2));
    assert.equal(texts(await client.receive())[1], 'echo');
    bench.frontend.close();
    assert.equal(bench.clock.pending, 0);
  });
});

describe('a goodbye', () => {
  it('waits for the clients of ours to agree', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const ours = rawDealer(scope, endpoint, 'ours');
    const leaver = rawDealer(scope, endpoint, 'leaver');
    const classic = rawDealer(scope, endpoint, 'classic');
    await classic.send(['', 'echo', '1']);
    for (const socket of [ours, leaver]) await socket.send(['', ...requestFrames(makeRequest(), true)]);
    await bench.requests(3);
    let agreed = false;
    const goodbye = bench.frontend.sayGoodbye().then(() => {
      agreed = true;
    });
    for (const socket of [ours, leaver]) assert.equal(texts(await socket.receive())[2], '$bye');
    leaver.close();
    await bench.hears('leaver is gone');
    assert.equal(agreed, false);
    await ours.send(controlFrames('$bye', {}));
    await goodbye;
  });

  it('does not wait for ever', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const stubborn = rawDealer(scope, endpoint, 'stubborn');
    await stubborn.send(['', ...requestFrames(makeRequest(), true)]);
    await bench.requests(1);
    const goodbye = bench.frontend.sayGoodbye();
    bench.clock.advance(1000);
    await goodbye;
  });

  it('is over at once where there is nobody to ask', async (t) => {
    const { bench } = await Bench.start(scopeOf(t));
    await bench.frontend.sayGoodbye();
  });
});
