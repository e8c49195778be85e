/** Hellos of native workers, and the checks of the contracts in them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dealer } from 'zeromq';
import { AnnouncedContracts } from '../../../../src/router/backend/contracts.ts';
import { controlFrames } from '../../../../src/wire/control.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { failOnLeftovers } from '../../../helpers/leftovers.ts';
import { texts } from '../../../helpers/raw.ts';
import { type Scope, scopeOf } from '../../../helpers/scope.ts';
import { SteppedSlices } from '../../../helpers/stepped-slices.ts';
import { BackendFixture, HELLO, helloWith } from './backend-fixture.ts';

failOnLeftovers();

describe('hellos of one peer', () => {
  const paths = ({ contracts }: BackendFixture) =>
    contracts.list().flatMap(({ fragment }) => Object.keys((fragment as { paths: object }).paths));

  it('hello: is ignored if it repeats the last one, and otherwise replaces it', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const socket = await fixture.connect(endpoint, 'worker');
    const changes: number[] = [];
    fixture.contracts.on('change', (revision) => changes.push(revision));
    for (let count = 0; count < 3; count += 1) await fixture.perform(() => void socket.send(helloWith('/a')));
    assert.deepEqual([paths(fixture), changes], [['/a'], [1]]);
    await fixture.perform(() => void socket.send(helloWith('/b')));
    assert.deepEqual(paths(fixture), ['/b']);
    await fixture.perform(() => void socket.send(helloWith('/b', 0, 'others')));
    assert.deepEqual(fixture.notices, ['worker joined', 'worker left: refused']);
  });

  it('hello: those that exceed the budget are delayed, and only the latest is read', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const socket = await fixture.connect(endpoint, 'worker');
    // Four of these use up the hello budget of a peer.
    const large = 900_000;
    for (const path of ['/a', '/b', '/c', '/d', '/e', '/f', '/g'])
      await fixture.perform(() => void socket.send(helloWith(path, large)));
    assert.deepEqual(paths(fixture), ['/d']);
    assert.equal(fixture.clock.pending, 1);
    await fixture.clock.advanceAsync(8000);
    assert.deepEqual([paths(fixture), fixture.clock.pending], [['/g'], 0]);
  });

  it('hello: is charged for its events and operations unless it repeats the last one', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const socket = await fixture.connect(endpoint, 'worker');
    const sendHello = async (first: number): Promise<void> => {
      const events = Array.from({ length: 50_000 }, (_, index) => `${first + index}`);
      await fixture.perform(
        () => void socket.send(controlFrames('$hello', { v: 1, pack: 1, concurrency: 4, events })),
      );
    };
    // One hello costs 0.4 MB for its text and 1.6 MB for its events.
    await sendHello(10_000);
    for (let count = 0; count < 3; count += 1) await sendHello(10_000);
    assert.equal(fixture.clock.pending, 0);
    await sendHello(10_001);
    await sendHello(10_002);
    assert.deepEqual([fixture.broker.serves('60000'), fixture.broker.serves('60001')], [true, false]);
    await fixture.clock.advanceAsync(30_000);
    assert.deepEqual([fixture.broker.serves('60001'), fixture.clock.pending], [true, 0]);
  });

  it('hello: a peer that reconnects gets no other budget', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const connect = (session: string) => fixture.connect(endpoint, `worker_${session.repeat(16)}`);
    const leave = (socket: Dealer, reason: string): Promise<boolean> => {
      socket.close();
      return fixture.waitFor(() => fixture.notices.at(-1)?.endsWith(reason) === true, 'the end');
    };
    const first = await connect('1');
    for (const path of ['/a', '/b', '/c', '/d'])
      await fixture.perform(() => void first.send(helloWith(path, 900_000)));
    await leave(first, 'left: disconnected');
    const second = await connect('2');
    await fixture.perform(() => void second.send(helloWith('/e', 900_000)));
    assert.deepEqual([paths(fixture).includes('/e'), fixture.clock.pending], [false, 1]);
    const other = await fixture.connect(endpoint, `other_${'3'.repeat(16)}`);
    await fixture.perform(() => void other.send(HELLO));
    assert.match(fixture.notices.at(-1) ?? '', /other.* joined/);
    await fixture.clock.advanceAsync(8000);
    assert.deepEqual([paths(fixture).includes('/e'), fixture.clock.pending], [true, 0]);
    assert.doesNotMatch(fixture.notices.join(), /classic/);
  });

  it('hello: a delayed one is dropped when the peer says goodbye', async (t) => {
    const { fixture, endpoint } = await BackendFixture.start(scopeOf(t));
    const socket = await fixture.connect(endpoint, 'worker');
    for (let count = 0; count < 6; count += 1)
      await fixture.perform(() => void socket.send(helloWith(`/${count}`, 900_000)));
    assert.equal(fixture.clock.pending, 1);
    await fixture.perform(() => void socket.send(controlFrames('$bye', {})));
    assert.equal(fixture.clock.pending, 0);
    assert.deepEqual(fixture.notices, ['worker joined', 'worker left: goodbye']);
  });
});

/** A backend whose checks of large contracts pause until the test continues them. */
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
  return { slices, ...(await BackendFixture.start(scope, { contracts })) };
}

/** A hello with a contract of 51 operations. */
function largeHello(concurrency: number) {
  const paths = Array.from({ length: 51 }, (_, index) => [`/${index}`, { get: { 'x-event-name': 'mine' } }]);
  const contract = { name: 'c', fragment: { paths: Object.fromEntries(paths) as object } };
  return controlFrames('$hello', { v: 1, pack: 1, concurrency, events: ['mine'], contract });
}

describe('a worker with a large contract', () => {
  it('large contract: its worker joins after the check, and other workers join meanwhile', async (t) => {
    const scope = scopeOf(t);
    const { fixture, endpoint, slices } = await startStepped(scope);
    const large = await fixture.connect(endpoint, 'large');
    await fixture.perform(() => void large.send(largeHello(4)));
    assert.equal(slices.count, 1);
    const small = await fixture.connect(endpoint, 'small');
    await small.send(HELLO);
    await fixture.waitFor(() => fixture.notices.length > 0, 'the other worker');
    await fixture.perform(() => void large.send(largeHello(4)));
    await fixture.perform(() => void large.send(controlFrames('$credit', { concurrency: 7 })));
    assert.deepEqual(fixture.notices, ['small joined']);
    await slices.run();
    assert.deepEqual(fixture.notices, ['small joined', 'large joined']);
    assert.equal(slices.count, 2, 'the same hello is not checked again');
    assert.deepEqual(texts(await large.receive()).slice(2, 3), ['$credit']);
    assert.deepEqual(texts(await large.receive()).slice(2, 3), ['$welcome']);
    const [worker] = [...fixture.broker.workers].filter(({ id }) => id === 'large');
    assert.equal(worker?.concurrency, 7);
  });

  it('large contract: a worker that leaves during the check is forgotten', async (t) => {
    const { fixture, endpoint, slices } = await startStepped(scopeOf(t));
    const large = await fixture.connect(endpoint, 'large');
    await fixture.perform(() => void large.send(largeHello(4)));
    await fixture.perform(() => large.close());
    await slices.run();
    assert.deepEqual([fixture.notices, fixture.contracts.list(), slices.count], [[], [], 1]);
  });

  it('large contract: a worker that sends another contract during the check joins with the new one', async (t) => {
    const { fixture, endpoint, slices } = await startStepped(scopeOf(t));
    const large = await fixture.connect(endpoint, 'large');
    await fixture.perform(() => void large.send(largeHello(4)));
    await fixture.perform(() => void large.send(helloWith('/other')));
    await slices.run();
    assert.deepEqual(fixture.notices, ['large joined']);
    assert.deepEqual(Object.keys((fixture.contracts.list()[0]?.fragment as { paths: object }).paths), [
      '/other',
    ]);
  });
});
