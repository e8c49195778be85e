/** Peers of the backend: how they join and leave, and which of their messages count. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Router } from 'zeromq';
import { withHelloMark } from '../../../../src/core/identity/identity.ts';
import { type Logger, silentLogger } from '../../../../src/core/logging/logging.ts';
import { turnNow } from '../../../../src/transport/link/turn.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { emissions, eventually } from '../../../helpers/eventually.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { rawDealer, texts } from '../../../helpers/raw.ts';
import { scopeOf } from '../../../helpers/scope.ts';
import { makeRequest } from '../../wire/messages.ts';
import { BackendFixture, HELLO } from './backend-fixture.ts';

failOnLeftovers();

/** ZMQ_ROUTER_NOTIFY, an option of libzmq builds with draft options. */
const ROUTER_NOTIFY = 97;

interface OptionSetter {
  readonly setInt32Option: (this: Router, option: number, value: number) => void;
}

describe('a peer of the backend', () => {
  it('backend: a peer without a hello is a classic worker after the hello timeout', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    await fixture.connect(endpoint, 'quiet');
    assert.deepEqual(fixture.notices, []);
    await fixture.passHelloTimeout();
    assert.deepEqual(fixture.notices, ['quiet joined as classic']);
    assert.equal(fixture.clock.pending, 0);
  });

  it('backend: a peer that sends a hello in time stays a native worker', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const socket = await fixture.connect(endpoint, 'native');
    await socket.send(HELLO);
    await fixture.waitFor(() => fixture.notices.length > 0, 'the hello');
    await fixture.passHelloTimeout();
    assert.deepEqual(fixture.notices, ['native joined']);
    assert.equal(texts(await socket.receive())[2], '$welcome');
  });

  it('backend: a peer with the hello mark in its routing id is never a classic worker, however late its hello is', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const connected = fixture.nextConnection();
    const socket = rawDealer(scopeOf(t), endpoint, withHelloMark('late'));
    await connected;
    for (let passes = 0; passes < 100; passes += 1) await fixture.passHelloTimeout();
    assert.deepEqual([fixture.notices, fixture.broker.stats().workers, fixture.clock.pending], [[], 0, 0]);
    await socket.send(['T12345678', '', 'mine', '{"error":{}}']);
    await fixture.drops.waitFor('late-reply');
    await socket.send(HELLO);
    await fixture.waitFor(() => fixture.notices.length > 0, 'the hello');
    assert.deepEqual(fixture.notices, ['$hello.late joined']);
  });

  it('backend: a peer that disconnects is forgotten with all its timers', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const early = await fixture.connect(endpoint, 'early');
    const late = await fixture.connect(endpoint, 'late');
    await fixture.perform(() => early.close());
    await fixture.passHelloTimeout();
    late.close();
    await fixture.waitFor(() => fixture.notices.length === 2, 'the end of the other peer');
    await fixture.passHelloTimeout();
    assert.deepEqual(fixture.notices, ['late joined as classic', 'late left: disconnected']);
    assert.deepEqual([fixture.clock.pending, fixture.broker.stats().workers], [0, 0]);
  });

  it('backend: a peer that forges a connection notice joins again, and no phantom worker stays', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const forger = await fixture.connect(endpoint, 'forger');
    await fixture.passHelloTimeout();
    await forger.send('');
    await fixture.waitFor(() => fixture.notices.length === 2, 'the forged notice');
    await fixture.passHelloTimeout();
    forger.close();
    await fixture.waitFor(() => fixture.notices.length === 4, 'the real disconnection');
    await fixture.passHelloTimeout();
    const once = ['forger joined as classic', 'forger left: disconnected'];
    assert.deepEqual([fixture.notices, fixture.clock.pending], [[...once, ...once], 0]);
    assert.equal(fixture.broker.stats().workers, 0);
  });

  it('backend: requests of a worker are lost when another connection takes its routing id, and replies to them are dropped', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint } = await BackendFixture.start(scope);
    const former = await fixture.connect(endpoint, 'same');
    await fixture.passHelloTimeout();
    const outcomes: string[] = [];
    const origin = { settle: (_: unknown, { code }: { code: string }) => void outcomes.push(code || 'ok') };
    const submit = () => fixture.broker.submit(makeRequest({ body: Buffer.from('1') }), origin, turnNow());
    submit();
    const [token = '', ...rest] = await former.receive();
    const replacement = await fixture.connect(endpoint, 'same');
    assert.deepEqual(fixture.notices, ['same joined as classic', 'same left: disconnected']);
    assert.deepEqual(outcomes, ['WORKER_LOST']);
    await replacement.send([token, ...rest]);
    await fixture.drops.waitFor('late-reply');
    await fixture.passHelloTimeout();
    assert.deepEqual(fixture.notices.slice(2), ['same joined as classic']);
    submit();
    await replacement.send(await replacement.receive());
    await fixture.waitFor(() => outcomes.length === 2, 'the reply of the new connection');
    await former.send([token, ...rest]);
    former.close();
    submit();
    await replacement.send(await replacement.receive());
    await fixture.waitFor(() => outcomes.length === 3, 'one more reply of the new connection');
    await fixture.passHelloTimeout();
    assert.deepEqual(
      [outcomes, fixture.notices.length, fixture.broker.stats().workers],
      [['WORKER_LOST', 'ok', 'ok'], 3, 1],
    );
  });

  it('backend: a peer that forged a connection notice may send a hello again', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const forger = await fixture.connect(endpoint, 'forger');
    await forger.send(HELLO);
    await forger.send('');
    await forger.send(HELLO);
    await fixture.waitFor(() => fixture.notices.length === 3, 'the forged notice and the hello');
    await fixture.passHelloTimeout();
    assert.deepEqual(fixture.notices, ['forger joined', 'forger left: disconnected', 'forger joined']);
    assert.equal(fixture.broker.stats().workers, 1);
  });

  it('backend: a peer that reconnects with its routing id joins again', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    for (let round = 0; round < 3; round += 1) {
      const socket = await fixture.connect(endpoint, 'again');
      await fixture.passHelloTimeout();
      const notices = fixture.notices.length;
      socket.close();
      await fixture.waitFor(() => fixture.notices.length > notices, 'the end');
      await fixture.passHelloTimeout();
    }
    const round = ['again joined as classic', 'again left: disconnected'];
    assert.deepEqual(fixture.notices, [...round, ...round, ...round]);
  });

  it('backend: without draft options of libzmq, a peer known from heartbeats joins once a message reaches it', async (t) => {
    const { setInt32Option } = Router.prototype as unknown as OptionSetter;
    const refuse = function (this: Router, option: number, value: number): void {
      if (option === ROUTER_NOTIFY) throw new Error('Invalid argument');
      setInt32Option.call(this, option, value);
    };
    Object.defineProperty(Router.prototype, 'setInt32Option', { value: refuse, configurable: true });
    t.after(() => Reflect.deleteProperty(Router.prototype, 'setInt32Option'));
    const scope = scopeOf(t);
    const { fixture, endpoint } = await BackendFixture.start(scope);
    const { socket, notices } = { socket: fixture.backend.socket, notices: fixture.notices };
    assert.equal(socket.reportsPeers, false);
    fixture.backend.heartbeatHeard('absent');
    await fixture.passHelloTimeout();
    const { monitor } = socket;
    const connected = eventually(
      emissions(monitor, 'handshake'),
      () => monitor.connections === 1,
      'a connection',
    );
    const worker = rawDealer(scope, endpoint, 'there');
    await connected;
    assert.deepEqual([notices, fixture.clock.pending], [[], 0], 'the socket does not report the connection');
    fixture.backend.heartbeatHeard('there');
    await fixture.passHelloTimeout();
    await fixture.passHelloTimeout();
    assert.deepEqual([notices, fixture.broker.stats().workers], [['there joined as classic'], 1]);
    assert.equal((await worker.receive()).length, 1, 'the probe is a frame that classic workers drop');
  });

  it('backend: heartbeats of unknown peers are ignored if the socket reports its peers', async (t) => {
    const { fixture } = await BackendFixture.start(scopeOf(t));
    for (let n = 0; n < 1000; n += 1) fixture.backend.heartbeatHeard(`forged ${n}`);
    assert.equal(fixture.clock.pending, 0);
  });

  it('backend: a worker that missed its heartbeats leaves, and joins again after further heartbeats', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const classic = await fixture.connect(endpoint, 'classic');
    const native = await fixture.connect(endpoint, 'native');
    await native.send(HELLO);
    await fixture.waitFor(() => fixture.notices.length > 0, 'the hello');
    assert.equal(texts(await native.receive())[2], '$welcome');
    await fixture.passHelloTimeout();
    for (const key of ['classic', 'native']) fixture.backend.heartbeatLost(key);
    assert.equal(fixture.broker.stats().workers, 0);
    for (const key of ['classic', 'native']) fixture.backend.heartbeatHeard(key);
    assert.equal(texts(await native.receive())[2], '$who');
    await fixture.passHelloTimeout();
    assert.deepEqual(fixture.notices.slice(2), [
      'classic left: heartbeat',
      'native left: heartbeat',
      'classic joined as classic',
    ]);
    assert.ok(!classic.closed);
  });

  it('backend: leaves no timer after close', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    await fixture.connect(endpoint, 'waiting');
    const gone = await fixture.connect(endpoint, 'gone');
    await fixture.perform(() => gone.close());
    fixture.backend.close();
    assert.equal(fixture.clock.pending, 0);
  });
});

describe('classic workers at the backend', () => {
  /** A logger that records its warnings. */
  const makeRecordingLogger = (): { logger: Logger; warnings: unknown[] } => {
    const warnings: unknown[] = [];
    const warn = (...args: unknown[]): void => void warnings.push(args);
    return { logger: { ...silentLogger, warn }, warnings };
  };

  it('backend: classic workers serve the events that the configuration binds to their node ids', async (t) => {
    const classicEvents = { orders: ['order.get'], stock: ['stock.get'] };
    const { logger, warnings } = makeRecordingLogger();
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t), { classicEvents, logger });
    for (const node of ['orders', 'stock', 'other']) {
      await fixture.connect(endpoint, `${node}_0123456789abcdef`);
      await fixture.passHelloTimeout();
    }
    const served = [...fixture.broker.workers].map(({ id, events }) => [id.split('_')[0], events]);
    assert.deepEqual(served, [
      ['orders', ['order.get']],
      ['stock', ['stock.get']],
      ['other', undefined],
    ]);
    assert.deepEqual(warnings, [], 'one worker without bound events is not ambiguous');
  });

  it('backend: warns once when a second classic worker without bound events joins', async (t) => {
    const { logger, warnings } = makeRecordingLogger();
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t), { logger });
    const counts = [];
    for (const node of ['one', 'two', 'three']) {
      await fixture.connect(endpoint, node);
      await fixture.passHelloTimeout();
      counts.push(warnings.length);
    }
    assert.deepEqual(counts, [0, 1, 1]);
    assert.deepEqual((warnings[0] as unknown[])[0], { workers: ['classic#one', 'classic#two'] });
    assert.match(
      String((warnings[0] as unknown[])[1]),
      /bound to no events: the router assumes .*--classic-events/,
    );
  });
});

describe('replies at the backend', () => {
  it('backend: drops replies of an unknown worker, and asks one that packs for its hello once', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const socket = await fixture.connect(endpoint, 'stranger');
    const packedReply = Buffer.concat([Buffer.from([0x00, 0x5a, 0x47, 0x01, 2]), Buffer.alloc(19)]);
    packedReply.writeUInt16LE(200, 14);
    await socket.send(packedReply);
    await socket.send(packedReply);
    await fixture.drops.waitFor('late-reply', 2);
    await socket.send(controlFrames('$bye', {}));
    const names = [texts(await socket.receive())[2], texts(await socket.receive())[2]];
    assert.deepEqual(names, ['$who', '$bye'], 'it is asked only once');
  });
});
