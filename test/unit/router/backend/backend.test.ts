/** Who is at the backend: what the socket says of its peers, what they say, and what is made of it. Time stands still. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Dealer, Router } from 'zeromq';
import { withHelloMark } from '../../../../src/core/identity/identity.ts';
import { type Logger, silentLogger } from '../../../../src/core/logging/logging.ts';
import { Backend } from '../../../../src/router/backend/backend.ts';
import { ClassicEvents, type ClassicEventsOption } from '../../../../src/router/backend/classic-events.ts';
import { AnnouncedContracts } from '../../../../src/router/backend/contracts.ts';
import { Broker } from '../../../../src/router/broker/broker.ts';
import { toConnection } from '../../../../src/transport/addressing/connection.ts';
import { turnNow } from '../../../../src/transport/link/turn.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { Drops } from '../../../helpers/drops.ts';
import { emissions, eventually } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { rawDealer, texts } from '../../../helpers/raw.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { SteppedSlices } from '../../../helpers/stepped-slices.ts';
import { makeRequest } from '../../wire/messages.ts';

failOnLeftovers();

const GRACE = 100;
const HELLO = controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['mine'] });

/** ZMQ_ROUTER_NOTIFY, which only a libzmq with draft options knows. */
const ROUTER_NOTIFY = 97;

interface Draftless {
  readonly setInt32Option: (this: Router, option: number, value: number) => void;
}

interface BenchOptions {
  readonly classicEvents?: ClassicEventsOption;
  readonly logger?: Logger;
  readonly contracts?: AnnouncedContracts;
}

class Bench {
  readonly clock = new FakeClock();
  readonly core = new Broker({ startupGrace: 0 }, turnNow());
  readonly contracts: AnnouncedContracts;
  /** What the backend told: who joined and left, and why. */
  readonly told: string[] = [];
  readonly drops: Drops;
  readonly backend: Backend;
  private readonly changes = new EventEmitter();
  private heard = 0;

  private constructor(
    private readonly scope: Scope,
    { classicEvents, logger = silentLogger, contracts }: BenchOptions,
  ) {
    this.drops = new Drops(scope);
    this.contracts = contracts ?? new AnnouncedContracts(undefined);
    const tell = (what: string): void => {
      this.told.push(what);
    };
    this.backend = new Backend(
      {
        identity: 'router',
        maxMessageSize: 1_000_000,
        source: { kind: 'router', node: 'router' },
        logger,
        classicConcurrency: 1,
        classicEvents: new ClassicEvents(classicEvents),
        helloTimeout: GRACE,
        contracts: this.contracts,
        clock: this.clock,
      },
      this.core,
      {
        workerJoined: ({ key, native: ours }) => tell(`${key} joined${ours ? '' : ' as classic'}`),
        workerLeft: ({ key }, reason) => tell(`${key} left: ${reason}`),
        peerActive: () => undefined,
        rearmTimer: () => {
          this.heard += 1;
          this.changes.emit('touched');
        },
      },
    );
    scope.after(() => this.backend.close());
  }

  static async start(scope: Scope, options: BenchOptions = {}): Promise<{ bench: Bench; endpoint: string }> {
    const bench = new Bench(scope, options);
    return { bench, endpoint: await bench.backend.bind(toConnection('tcp://127.0.0.1:0')) };
  }

  /** Waits until the backend heard something that makes `check` true. */
  until(check: () => boolean, what: string): Promise<boolean> {
    return eventually(emissions(this.changes, 'touched'), check, what);
  }

  /** Does something, and waits until the backend heard of it. */
  async after(act: () => void): Promise<void> {
    const { heard } = this;
    act();
    await this.until(() => this.heard > heard, 'a message at the backend');
  }

  /** Lets so much time pass as a peer has for its hello, and libzmq to forget a connection. */
  async pass(): Promise<void> {
    await this.clock.advanceAsync(GRACE + 50);
    await turn();
  }

  /** Resolves when a peer connected. */
  untilConnected(): Promise<void> {
    const { heard } = this;
    return this.until(() => this.heard > heard, 'a connection').then(() => undefined);
  }

  /** A peer that connected; the backend waits for its hello. */
  async connect(endpoint: string, identity: string): Promise<Dealer> {
    const timers = this.clock.pending;
    const socket = rawDealer(this.scope, endpoint, identity);
    await this.until(() => this.clock.pending > timers, 'a connection');
    return socket;
  }
}

/** A hello with a contract whose only operation is at a path, and so many bytes of description. */
function helloWith(path: string, bytes = 0, event = 'mine') {
  const get = { 'x-event-name': event, description: 'x'.repeat(bytes) };
  const contract = { name: 'c', fragment: { paths: { [path]: { get } } } };
  return controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events: ['mine'], contract });
}

describe('hellos of one peer', () => {
  const paths = ({ contracts }: Bench) =>
    contracts.list().flatMap(({ fragment }) => Object.keys((fragment as { paths: object }).paths));

  it('again are not read again when they are the same, and take the place of the former when not', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const socket = await bench.connect(endpoint, 'worker');
    const changes: number[] = [];
    bench.contracts.on('change', (revision) => changes.push(revision));
    for (let count = 0; count < 3; count += 1) await bench.after(() => void socket.send(helloWith('/a')));
    assert.deepEqual([paths(bench), changes], [['/a'], [1]]);
    await bench.after(() => void socket.send(helloWith('/b')));
    assert.deepEqual(paths(bench), ['/b']);
    await bench.after(() => void socket.send(helloWith('/b', 0, 'others')));
    assert.deepEqual(bench.told, ['worker joined', 'worker left: refused']);
  });

  it('in a loop wait for their turn: the last of them counts', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const socket = await bench.connect(endpoint, 'worker');
    // Four of these are as much as a peer may say at once.
    const large = 900_000;
    for (const path of ['/a', '/b', '/c', '/d', '/e', '/f', '/g'])
      await bench.after(() => void socket.send(helloWith(path, large)));
    assert.deepEqual(paths(bench), ['/d']);
    assert.equal(bench.clock.pending, 1);
    await bench.clock.advanceAsync(8000);
    assert.deepEqual([paths(bench), bench.clock.pending], [['/g'], 0]);
  });

  it('are charged for their events and operations, unless they repeat the last hello', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const socket = await bench.connect(endpoint, 'worker');
    const sendHello = async (first: number): Promise<void> => {
      const events = Array.from({ length: 50_000 }, (_, index) => `${first + index}`);
      await bench.after(
        () => void socket.send(controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events })),
      );
    };
    // It costs 0.4 MB for its text and 1.6 MB for its events.
    await sendHello(10_000);
    for (let count = 0; count < 3; count += 1) await sendHello(10_000);
    assert.equal(bench.clock.pending, 0);
    await sendHello(10_001);
    await sendHello(10_002);
    assert.deepEqual([bench.core.serves('60000'), bench.core.serves('60001')], [true, false]);
    await bench.clock.advanceAsync(30_000);
    assert.deepEqual([bench.core.serves('60001'), bench.clock.pending], [true, 0]);
  });

  it('that wait are dropped when the peer says goodbye', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const socket = await bench.connect(endpoint, 'worker');
    for (let count = 0; count < 6; count += 1)
      await bench.after(() => void socket.send(helloWith(`/${count}`, 900_000)));
    assert.equal(bench.clock.pending, 1);
    await bench.after(() => void socket.send(controlFrames('$bye', {})));
    assert.equal(bench.clock.pending, 0);
    assert.deepEqual(bench.told, ['worker joined', 'worker left: goodbye']);
  });
});

/** A backend whose checks of large contracts go on when the test says so. */
async function startStepped(scope: Scope) {
  const slices = new SteppedSlices();
  const checker = {
    put: () => undefined,
    setAvailable: () => undefined,
    *putting() {
      yield;
      yield;
    },
  };
  const contracts = new AnnouncedContracts(checker, new FakeClock(), slices);
  return { slices, ...(await Bench.start(scope, { contracts })) };
}

/** A hello with a contract of 51 operations. */
function largeHello(concurrency: number) {
  const paths = Array.from({ length: 51 }, (_, index) => [`/${index}`, { get: { 'x-event-name': 'mine' } }]);
  const contract = { name: 'c', fragment: { paths: Object.fromEntries(paths) as object } };
  return controlFrames('$hello', { v: 1, pack: 1, concurrency, events: ['mine'], contract });
}

describe('a worker with a large contract', () => {
  it('is welcome once the contract is checked; others are meanwhile', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint, slices } = await startStepped(scope);
    const large = await bench.connect(endpoint, 'large');
    await bench.after(() => void large.send(largeHello(4)));
    assert.equal(slices.count, 1);
    const small = await bench.connect(endpoint, 'small');
    await small.send(HELLO);
    await bench.until(() => bench.told.length > 0, 'the other worker');
    await bench.after(() => void large.send(largeHello(4)));
    await bench.after(() => void large.send(controlFrames('$credit', { concurrency: 7 })));
    assert.deepEqual(bench.told, ['small joined']);
    await slices.run();
    assert.deepEqual(bench.told, ['small joined', 'large joined']);
    assert.equal(slices.count, 2, 'the same hello is not checked again');
    assert.deepEqual(texts(await large.receive()).slice(2, 3), ['$credit']);
    assert.deepEqual(texts(await large.receive()).slice(2, 3), ['$welcome']);
    const [worker] = [...bench.core.workers].filter(({ id }) => id === 'large');
    assert.equal(worker?.concurrency, 7);
  });

  it('that leaves during the check is forgotten', async (t) => {
    const { bench, endpoint, slices } = await startStepped(scopeOf(t));
    const large = await bench.connect(endpoint, 'large');
    await bench.after(() => void large.send(largeHello(4)));
    await bench.after(() => large.close());
    await slices.run();
    assert.deepEqual([bench.told, bench.contracts.list(), slices.count], [[], [], 1]);
  });

  it('that brings another one during the check is welcome with that', async (t) => {
    const { bench, endpoint, slices } = await startStepped(scopeOf(t));
    const large = await bench.connect(endpoint, 'large');
    await bench.after(() => void large.send(largeHello(4)));
    await bench.after(() => void large.send(helloWith('/other')));
    await slices.run();
    assert.deepEqual(bench.told, ['large joined']);
    assert.deepEqual(Object.keys((bench.contracts.list()[0]?.fragment as { paths: object }).paths), [
      '/other',
    ]);
  });
});

describe('a peer of the backend', () => {
  it('that says nothing is a classic worker after a while', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    await bench.connect(endpoint, 'quiet');
    assert.deepEqual(bench.told, []);
    await bench.pass();
    assert.deepEqual(bench.told, ['quiet joined as classic']);
    assert.equal(bench.clock.pending, 0);
  });

  it('that says hello in time is one of ours, and is not taken for a classic one later', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const socket = await bench.connect(endpoint, 'ours');
    await socket.send(HELLO);
    await bench.until(() => bench.told.length > 0, 'the hello');
    await bench.pass();
    assert.deepEqual(bench.told, ['ours joined']);
    assert.equal(texts(await socket.receive())[2], '$welcome');
  });

  it('whose routing id promises a hello is never a classic worker, however late the hello is', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const connected = bench.untilConnected();
    const socket = rawDealer(scopeOf(t), endpoint, withHelloMark('late'));
    await connected;
    for (let passes = 0; passes < 100; passes += 1) await bench.pass();
    assert.deepEqual([bench.told, bench.core.stats().workers, bench.clock.pending], [[], 0, 0]);
    await socket.send(['T12345678', '', 'mine', '{"error":{}}']);
    await bench.drops.waitFor('late-reply');
    await socket.send(HELLO);
    await bench.until(() => bench.told.length > 0, 'the hello');
    assert.deepEqual(bench.told, ['$hello.late joined']);
  });

  it('that goes is forgotten, with all timers for it', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const early = await bench.connect(endpoint, 'early');
    const late = await bench.connect(endpoint, 'late');
    await bench.after(() => early.close());
    await bench.pass();
    late.close();
    await bench.until(() => bench.told.length === 2, 'that the other is gone');
    await bench.pass();
    assert.deepEqual(bench.told, ['late joined as classic', 'late left: disconnected']);
    assert.deepEqual([bench.clock.pending, bench.core.stats().workers], [0, 0]);
  });

  it('that says of itself what the socket says of peers that come begins anew, and no phantom stays', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const liar = await bench.connect(endpoint, 'liar');
    await bench.pass();
    await liar.send('');
    await bench.until(() => bench.told.length === 2, 'the lie');
    await bench.pass();
    liar.close();
    await bench.until(() => bench.told.length === 4, 'the true end');
    await bench.pass();
    const once = ['liar joined as classic', 'liar left: disconnected'];
    assert.deepEqual([bench.told, bench.clock.pending], [[...once, ...once], 0]);
    assert.equal(bench.core.stats().workers, 0);
  });

  it('whose routing id another connection takes loses what it held, and no reply of either counts for it', async (t) => {
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const old = await bench.connect(endpoint, 'same');
    await bench.pass();
    const outcomes: string[] = [];
    const origin = { settle: (_: unknown, { code }: { code: string }) => void outcomes.push(code || 'ok') };
    const submit = () => bench.core.submit(makeRequest({ body: Buffer.from('1') }), origin, turnNow());
    submit();
    const [token = '', ...rest] = await old.receive();
    const young = await bench.connect(endpoint, 'same');
    assert.deepEqual(bench.told, ['same joined as classic', 'same left: disconnected']);
    assert.deepEqual(outcomes, ['WORKER_LOST']);
    await young.send([token, ...rest]);
    await bench.drops.waitFor('late-reply');
    await bench.pass();
    assert.deepEqual(bench.told.slice(2), ['same joined as classic']);
    submit();
    await young.send(await young.receive());
    await bench.until(() => outcomes.length === 2, 'the reply of the new connection');
    await old.send([token, ...rest]);
    old.close();
    submit();
    await young.send(await young.receive());
    await bench.until(() => outcomes.length === 3, 'one more reply of the new connection');
    await bench.pass();
    assert.deepEqual(
      [outcomes, bench.told.length, bench.core.stats().workers],
      [['WORKER_LOST', 'ok', 'ok'], 3, 1],
    );
  });

  it('that lied may say hello again', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const liar = await bench.connect(endpoint, 'liar');
    await liar.send(HELLO);
    await liar.send('');
    await liar.send(HELLO);
    await bench.until(() => bench.told.length === 3, 'lie and hello');
    await bench.pass();
    assert.deepEqual(bench.told, ['liar joined', 'liar left: disconnected', 'liar joined']);
    assert.equal(bench.core.stats().workers, 1);
  });

  it('that comes back under its name is taken in again', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    for (let round = 0; round < 3; round += 1) {
      const socket = await bench.connect(endpoint, 'again');
      await bench.pass();
      const told = bench.told.length;
      socket.close();
      await bench.until(() => bench.told.length > told, 'the end');
      await bench.pass();
    }
    const round = ['again joined as classic', 'again left: disconnected'];
    assert.deepEqual(bench.told, [...round, ...round, ...round]);
  });

  it('known from its heartbeats only is believed when a message finds it (libzmq without draft options)', async (t) => {
    const { setInt32Option } = Router.prototype as unknown as Draftless;
    const refuse = function (this: Router, option: number, value: number): void {
      if (option === ROUTER_NOTIFY) throw new Error('Invalid argument');
      setInt32Option.call(this, option, value);
    };
    Object.defineProperty(Router.prototype, 'setInt32Option', { value: refuse, configurable: true });
    t.after(() => Reflect.deleteProperty(Router.prototype, 'setInt32Option'));
    const scope = scopeOf(t);
    const { bench, endpoint } = await Bench.start(scope);
    const { socket, told } = { socket: bench.backend.socket, told: bench.told };
    assert.equal(socket.reportsPeers, false);
    bench.backend.heartbeatHeard('nobody');
    await bench.pass();
    const { monitor } = socket;
    const connected = eventually(
      emissions(monitor, 'handshake'),
      () => monitor.connections === 1,
      'a connection',
    );
    const worker = rawDealer(scope, endpoint, 'there');
    await connected;
    assert.deepEqual([told, bench.clock.pending], [[], 0], 'nobody tells of it');
    bench.backend.heartbeatHeard('there');
    await bench.pass();
    await bench.pass();
    assert.deepEqual([told, bench.core.stats().workers], [['there joined as classic'], 1]);
    assert.equal((await worker.receive()).length, 1, 'what it was asked with is dropped by classic workers');
  });

  it('is not believed by its heartbeats where the socket tells who is there', async (t) => {
    const { bench } = await Bench.start(scopeOf(t));
    for (let n = 0; n < 1000; n += 1) bench.backend.heartbeatHeard(`forged ${n}`);
    assert.equal(bench.clock.pending, 0);
  });

  it('that missed its heartbeats gets nothing, until it is heard of again', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const classic = await bench.connect(endpoint, 'classic');
    const ours = await bench.connect(endpoint, 'ours');
    await ours.send(HELLO);
    await bench.until(() => bench.told.length > 0, 'the hello');
    assert.equal(texts(await ours.receive())[2], '$welcome');
    await bench.pass();
    for (const key of ['classic', 'ours']) bench.backend.heartbeatLost(key);
    assert.equal(bench.core.stats().workers, 0);
    for (const key of ['classic', 'ours']) bench.backend.heartbeatHeard(key);
    assert.equal(texts(await ours.receive())[2], '$who');
    await bench.pass();
    assert.deepEqual(bench.told.slice(2), [
      'classic left: heartbeat',
      'ours left: heartbeat',
      'classic joined as classic',
    ]);
    assert.ok(!classic.closed);
  });

  it('that is closed leaves no timer', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    await bench.connect(endpoint, 'waiting');
    const gone = await bench.connect(endpoint, 'gone');
    await bench.after(() => gone.close());
    bench.backend.close();
    assert.equal(bench.clock.pending, 0);
  });
});

describe('classic workers at the backend', () => {
  /** A logger that keeps what it warns of. */
  const keeping = (): { logger: Logger; warnings: unknown[] } => {
    const warnings: unknown[] = [];
    const warn = (...args: unknown[]): void => void warnings.push(args);
    return { logger: { ...silentLogger, warn }, warnings };
  };

  it('serve the events that they are bound to by their node ids', async (t) => {
    const classicEvents = { orders: ['order.get'], stock: ['stock.get'] };
    const { logger, warnings } = keeping();
    const { bench, endpoint } = await Bench.start(scopeOf(t), { classicEvents, logger });
    for (const node of ['orders', 'stock', 'other']) {
      await bench.connect(endpoint, `${node}_0123456789abcdef`);
      await bench.pass();
    }
    const served = [...bench.core.workers].map(({ id, events }) => [id.split('_')[0], events]);
    assert.deepEqual(served, [
      ['orders', ['order.get']],
      ['stock', ['stock.get']],
      ['other', undefined],
    ]);
    assert.deepEqual(warnings, [], 'one that is bound to nothing is served whatever is left');
  });

  it('that are bound to nothing are warned of once, when a second one joins', async (t) => {
    const { logger, warnings } = keeping();
    const { bench, endpoint } = await Bench.start(scopeOf(t), { logger });
    const counts = [];
    for (const node of ['one', 'two', 'three']) {
      await bench.connect(endpoint, node);
      await bench.pass();
      counts.push(warnings.length);
    }
    assert.deepEqual(counts, [0, 1, 1]);
    assert.deepEqual((warnings[0] as unknown[])[0], { workers: ['one', 'two'] });
    assert.match(
      String((warnings[0] as unknown[])[1]),
      /bound to no events: the router assumes .*--classic-events/,
    );
  });
});

describe('replies at the backend', () => {
  it('of a worker that is not known are dropped; one that speaks packed is asked who it is, once', async (t) => {
    const { bench, endpoint } = await Bench.start(scopeOf(t));
    const socket = await bench.connect(endpoint, 'stranger');
    const packedReply = Buffer.concat([Buffer.from([0x00, 0x5a, 0x47, 0x01, 2]), Buffer.alloc(19)]);
    packedReply.writeUInt16LE(200, 14);
    await socket.send(packedReply);
    await socket.send(packedReply);
    await bench.drops.waitFor('late-reply', 2);
    await socket.send(controlFrames('$bye', {}));
    const names = [texts(await socket.receive())[2], texts(await socket.receive())[2]];
    assert.deepEqual(names, ['$who', '$bye'], 'asked once only');
  });
});
