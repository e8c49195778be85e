/** Clients of a frontend: when they are known and forgotten, and in which format they get replies. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import { ClientFrontend } from '../../../../src/transport/link/client-frontend.ts';
import type { ClientFrontendOwner, ClientPeer } from '../../../../src/transport/link/client-peer.ts';
import { requestFrames } from '../../../../src/wire/classic.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { isPacked } from '../../../../src/wire/packed.ts';
import { PackedBatch } from '../../../../src/wire/packed-batch.ts';
import { encodeToken } from '../../../../src/wire/token.ts';
import { emissions, eventually } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { rawDealer, texts } from '../../../helpers/raw.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';

failOnLeftovers();

interface ReceivedRequest {
  peer: ClientPeer;
  eventName: string;
  id: number;
  generation: number;
  envelope: Buffer[] | undefined;
}

/** The owner of a frontend, with what it received. */
class Fixture implements ClientFrontendOwner {
  readonly clock = new FakeClock();
  readonly received: ReceivedRequest[] = [];
  readonly events: string[] = [];
  readonly frontend: ClientFrontend;
  busy = false;
  private readonly changes = new EventEmitter();

  private constructor() {
    const source = { kind: 'router', node: 'r' } as const;
    this.frontend = new ClientFrontend({ source, clock: this.clock }, this);
  }

  static async start(scope: Scope): Promise<{ fixture: Fixture; endpoint: string }> {
    const fixture = new Fixture();
    scope.after(() => fixture.frontend.close());
    return { fixture, endpoint: await fixture.frontend.bind(toConnection('tcp://127.0.0.1:0')) };
  }

  request(
    ...[peer, { eventName }, id, generation, envelope]: Parameters<ClientFrontendOwner['request']>
  ): void {
    this.received.push({ peer, eventName, id, generation, envelope });
    this.changes.emit('change');
  }

  cancel(peer: ClientPeer, id: number, generation: number): void {
    this.record(`${peer.key} cancels ${id}.${generation}`);
  }

  clientLeft({ key }: ClientPeer): void {
    this.record(`${key} is gone`);
  }

  idle(): boolean {
    return !this.busy;
  }

  async requests(count: number): Promise<ReceivedRequest> {
    const find = (): ReceivedRequest | undefined => this.received[count - 1];
    return eventually(emissions(this.changes, 'change'), find, `request ${count}`);
  }

  seen(what: string): Promise<boolean> {
    return eventually(emissions(this.changes, 'change'), () => this.events.includes(what), what);
  }

  reply({ peer, eventName, id, generation, envelope }: ReceivedRequest, members = {}): void {
    peer.reply(eventName, makeReply(members), id, generation, envelope);
  }

  private record(what: string): void {
    this.events.push(what);
    this.changes.emit('change');
  }
}

describe('clients of a frontend', () => {
  it('ClientFrontend: replies in the format of the request: classic, with metadata, packed', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const classic = rawDealer(scope, endpoint, 'classic');
    await classic.send(['', 'echo', '1']);
    fixture.reply(await fixture.requests(1), { code: 'X', status: 400 });
    const failed = JSON.stringify({ v: 1, status: 400, code: 'X' });
    assert.deepEqual(texts(await classic.receive()), ['', 'echo', '{"b":2}', failed]);
    const native = rawDealer(scope, endpoint, 'native');
    const token = encodeToken(7, 8);
    await native.send([token, '', ...requestFrames(makeRequest(), true)]);
    const withToken = await fixture.requests(2);
    assert.deepEqual([withToken.id, withToken.generation], [7, 8]);
    fixture.reply(withToken);
    const [back, , , , metadata] = await native.receive();
    assert.deepEqual(
      [back, JSON.parse(String(metadata))],
      [token, { v: 1, status: 200, pack: 1, stream: 1 }],
    );
    const batch = new PackedBatch();
    batch.addRequest(9, 10, makeRequest());
    await native.send(batch.take());
    const packed = await fixture.requests(3);
    assert.deepEqual([packed.id, packed.generation, packed.envelope], [9, 10, undefined]);
    fixture.reply(packed);
    const [head = Buffer.alloc(0)] = await native.receive();
    assert.ok(isPacked(head));
  });

  it('ClientFrontend: sends a classic client only the last of several replies', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const classic = rawDealer(scope, endpoint, 'classic');
    await classic.send(['', 'echo', '1']);
    const received = await fixture.requests(1);
    fixture.reply(received, { more: true, body: Buffer.from('"part"') });
    fixture.reply(received, { body: Buffer.from('"last"') });
    assert.deepEqual(texts(await classic.receive()), ['', 'echo', '"last"']);
  });

  it('ClientFrontend: knows a client from its first message until it has left', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const silent = rawDealer(scope, endpoint, 'silent');
    const client = rawDealer(scope, endpoint, 'client');
    await client.send(['', 'echo', '1']);
    await fixture.requests(1);
    assert.equal(fixture.frontend.size, 1);
    silent.close();
    client.close();
    await fixture.seen('client is gone');
    assert.equal(fixture.frontend.size, 0);
    assert.deepEqual(fixture.events, ['client is gone']);
  });

  it('ClientFrontend: keeps no state of a client that forged its own departure', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const forger = rawDealer(scope, endpoint, 'forger');
    const witness = rawDealer(scope, endpoint, 'witness');
    await forger.send(['', 'echo', '1']);
    await fixture.requests(1);
    await forger.send('');
    await fixture.seen('forger is gone');
    forger.close();
    await witness.send(['', 'echo', '1']);
    await fixture.requests(2);
    assert.equal(fixture.frontend.size, 1);
  });

  it('ClientFrontend: passes on cancels of a client', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const client = rawDealer(scope, endpoint, 'client');
    const batch = new PackedBatch();
    batch.addCancel(1, 2);
    await client.send(batch.take());
    await fixture.seen('client cancels 1.2');
  });

  it('ClientFrontend: forgets a silent client without requests, and knows it again by its next message', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const client = rawDealer(scope, endpoint, 'client');
    await client.send(['', 'echo', '1']);
    await fixture.requests(1);
    fixture.clock.advance(60_000);
    assert.equal(fixture.frontend.size, 1, 'it has sent a message since the last sweep');
    fixture.busy = true;
    fixture.clock.advance(60_000);
    assert.equal(fixture.frontend.size, 1, 'it has a request in flight');
    fixture.busy = false;
    fixture.clock.advance(60_000);
    assert.deepEqual([fixture.frontend.size, fixture.events], [0, ['client is gone']]);
    await client.send(['', 'echo', '2']);
    fixture.reply(await fixture.requests(2));
    assert.equal(texts(await client.receive())[1], 'echo');
    fixture.frontend.close();
    assert.equal(fixture.clock.pending, 0);
  });
});

describe('goodbye of a frontend', () => {
  it('ClientFrontend: waits until all native clients have confirmed the goodbye', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const native = rawDealer(scope, endpoint, 'native');
    const leaver = rawDealer(scope, endpoint, 'leaver');
    const classic = rawDealer(scope, endpoint, 'classic');
    await classic.send(['', 'echo', '1']);
    for (const socket of [native, leaver]) await socket.send(['', ...requestFrames(makeRequest(), true)]);
    await fixture.requests(3);
    let confirmed = false;
    const goodbye = fixture.frontend.sayGoodbye().then(() => {
      confirmed = true;
    });
    for (const socket of [native, leaver]) assert.equal(texts(await socket.receive())[2], '$bye');
    leaver.close();
    await fixture.seen('leaver is gone');
    assert.equal(confirmed, false);
    await native.send(controlFrames('$bye', {}));
    await goodbye;
  });

  it('ClientFrontend: stops waiting for the goodbye after a timeout', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await Fixture.start(scope);
    const silent = rawDealer(scope, endpoint, 'silent');
    await silent.send(['', ...requestFrames(makeRequest(), true)]);
    await fixture.requests(1);
    const goodbye = fixture.frontend.sayGoodbye();
    fixture.clock.advance(1000);
    await goodbye;
  });

  it('ClientFrontend: does not wait for a goodbye without native clients', async (t) => {
    const { fixture } = await Fixture.start(scopeOf(t));
    await fixture.frontend.sayGoodbye();
  });
});
