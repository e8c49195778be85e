/** Requests split between versions of a contract by weight, and requests for one version. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventReports } from '../../../src/router/broker/report.ts';
import { type FakeWorker, System } from './fixture.ts';

/** A system whose random numbers are 0.005, 0.015 … 0.995 and again: each percent once in 100. */
function makeSystem(): System {
  let n = 0;
  return new System({ random: () => ((n++ % 100) + 0.5) / 100 });
}

const version = (name: string, weight?: number) => ({
  release: { contract: 'prices', version: name, weight },
});
const many = { concurrency: 1000 };
const pinned = (name: string) => ({ extras: Buffer.from(JSON.stringify({ version: name })) });
const counts = (...workers: FakeWorker[]): number[] => workers.map(({ sent }) => sent.length);

describe('versions with weights', () => {
  it('receive their share in percent; versions without a weight share the rest', () => {
    const system = makeSystem();
    const canary = system.worker({ ...version('2.0.0', 5), ...many });
    const stable = system.worker({ ...version('1.0.0'), ...many });
    const more = system.worker({ ...version('1.0.0'), ...many });
    const unversioned = system.worker(many);
    for (let n = 0; n < 200; n += 1) system.submit();
    assert.deepEqual(counts(canary, unversioned), [10, 96]);
    assert.deepEqual(
      counts(stable, more).reduce((a, b) => a + b),
      94,
      'all workers of a version together',
    );
  });

  it('are shares of their sum if all versions have one', () => {
    const system = makeSystem();
    const one = system.worker({ ...version('1.0.0', 20), ...many });
    const two = system.worker({ ...version('2.0.0', 60), ...many });
    for (let n = 0; n < 100; n += 1) system.submit();
    assert.deepEqual(counts(one, two), [25, 75]);
  });

  it('do not matter while one version is left, or none has a weight', () => {
    const system = makeSystem();
    const canary = system.worker({ ...version('2.0.0', 0), ...many });
    for (let n = 0; n < 4; n += 1) system.submit();
    assert.deepEqual(counts(canary), [4]);
    const plain = makeSystem();
    const old = plain.worker({ ...version('1.0.0'), concurrency: 10 });
    const latest = plain.worker({ ...version('2.0.0'), concurrency: 10 });
    for (let n = 0; n < 6; n += 1) plain.submit();
    assert.deepEqual(counts(old, latest), [3, 3]);
  });

  it('a full version falls back to the others, in both directions', () => {
    const system = makeSystem();
    const canary = system.worker({ ...version('2.0.0', 5), concurrency: 2 });
    const stable = system.worker({ ...version('1.0.0'), concurrency: 96 });
    for (let n = 0; n < 98; n += 1) system.submit();
    assert.deepEqual(counts(canary, stable), [2, 96]);
    system.submit();
    assert.equal(system.core.stats().queued, 1);
    canary.reply();
    assert.deepEqual(counts(canary, stable), [3, 96], 'a queued request goes to the first free worker');
  });

  it('a version of weight 0 receives nothing while others are connected, even if they are full', () => {
    const system = makeSystem();
    const dark = system.worker({ ...version('2.0.0', 0), ...many });
    const stable = system.worker({ ...version('1.0.0'), concurrency: 1 });
    for (let n = 0; n < 3; n += 1) system.submit();
    assert.deepEqual(counts(dark, stable), [0, 1]);
    stable.reply();
    assert.deepEqual(counts(dark, stable), [0, 2]);
    stable.remove();
    assert.deepEqual(counts(dark, stable), [1, 2], 'the queued request goes to the version that is left');
  });

  it('can be set by an operator, until the weight of the workers applies again', () => {
    const system = makeSystem();
    const canary = system.worker({ ...version('2.0.0', 0), ...many });
    const stable = system.worker({ ...version('1.0.0'), concurrency: 1 });
    system.submit();
    system.submit();
    assert.deepEqual(counts(canary, stable), [0, 1]);
    assert.equal(system.core.releases.assign('prices', '3.0.0', 5, system.now), false);
    assert.equal(system.core.releases.assign('prices', '2.0.0', 100, system.now), true);
    assert.deepEqual(counts(canary, stable), [1, 1], 'a queued request is dispatched at once');
    canary.remove();
    const again = system.worker({ ...version('2.0.0', 0), ...many });
    system.submit();
    assert.deepEqual(counts(again), [1], 'the weight outlives the workers');
    system.core.releases.assign('prices', '2.0.0', undefined, system.now);
    system.submit();
    assert.deepEqual(counts(again), [1]);
  });

  it('a request is redispatched by the same shares after its worker was lost', () => {
    const system = new System({ random: () => 0 });
    const canary = system.worker({ ...version('2.0.0', 5), ...many });
    const stable = system.worker({ ...version('1.0.0'), ...many });
    system.submit({ idempotent: true });
    assert.deepEqual(counts(canary, stable), [1, 0]);
    canary.remove();
    assert.deepEqual(counts(canary, stable), [1, 1]);
  });

  it('a worker that announces another version or weight changes the shares', () => {
    const system = makeSystem();
    const one = system.worker({ ...version('1.0.0', 100), ...many });
    const two = system.worker({ ...version('2.0.0', 0), ...many });
    const info = { events: ['e'], ...many };
    system.core.updateWorker(two.worker, { ...info, ...version('2.0.0', 100) }, system.now);
    for (let n = 0; n < 100; n += 1) system.submit();
    assert.deepEqual(counts(one, two), [50, 50]);
    system.core.updateWorker(two.worker, { ...info, ...version('1.0.0', 100) }, system.now);
    assert.deepEqual(
      system.core.releases.all.map(({ version: name, workers }) => [name, workers]),
      [['1.0.0', 2]],
    );
  });

  it('are reported with workers and shares; events without versions have none', () => {
    const system = makeSystem();
    system.worker({ ...version('2.0.0', 5) });
    system.worker({ ...version('1.0.0') });
    system.worker({ events: ['e', 'plain'] });
    const [e, plain] = eventReports(system.core);
    assert.deepEqual(e?.versions, [
      { contract: 'prices', version: '2.0.0', workers: 1, share: 5 },
      { contract: 'prices', version: '1.0.0', workers: 1, share: 47.5 },
      { contract: '', version: null, workers: 1, share: 47.5 },
    ]);
    assert.deepEqual(plain?.versions, []);
  });
});

describe('requests for one version', () => {
  it('go only to its workers, whatever the weights', () => {
    const system = makeSystem();
    const dark = system.worker({ ...version('2.0.0', 0), ...many });
    const stable = system.worker({ ...version('1.0.0'), ...many });
    for (let n = 0; n < 3; n += 1) system.submit(pinned('2.0.0'));
    for (let n = 0; n < 2; n += 1) system.submit(pinned('1.0.0'));
    assert.deepEqual(counts(dark, stable), [3, 2]);
  });

  it('fail with the versions that are served if no worker serves their version', () => {
    const system = makeSystem();
    system.worker({ ...version('1.0.0'), ...many });
    system.worker(many);
    system.submit(pinned('3.0.0'));
    assert.deepEqual(system.client.codes, ['NO_WORKER']);
    assert.match(
      String(system.client.last?.body),
      /no worker serves the event \\"e\\" in version 3\.0\.0; workers serve 1\.0\.0/,
    );
    system.submit({ eventName: 'none', ...pinned('1.0.0') });
    assert.match(String(system.client.last?.body), /the event \\"none\\" in version 1\.0\.0"/);
  });

  it('are rejected if their workers are full, and do not hold up others', () => {
    const system = makeSystem();
    const canary = system.worker({ ...version('2.0.0', 5), concurrency: 1 });
    const stable = system.worker({ ...version('1.0.0'), concurrency: 1 });
    system.submit(pinned('2.0.0'));
    system.submit(pinned('2.0.0'));
    assert.deepEqual(system.client.codes, ['BUSY']);
    system.submit();
    assert.deepEqual([...counts(canary, stable), system.core.stats().queued], [1, 1, 0]);
  });

  it('are not redispatched to another version, and keep the rejection of their own version', () => {
    const system = makeSystem();
    const old = system.worker({ ...version('1.0.0'), ...many });
    const latest = system.worker({ ...version('2.0.0'), ...many, ranks: new Map([['e', 1]]) });
    system.submit(pinned('1.0.0'));
    old.reply({ code: 'INVALID_REQUEST', status: 400, dispatched: false });
    assert.deepEqual(system.client.codes, ['INVALID_REQUEST']);
    system.submit({ ...pinned('1.0.0'), idempotent: true });
    old.remove();
    assert.deepEqual(system.client.codes, ['INVALID_REQUEST', 'WORKER_LOST']);
    assert.deepEqual(counts(latest), [0]);
  });

  it('extras that cannot be read name no version', () => {
    const system = makeSystem();
    const worker = system.worker(many);
    for (const extras of ['{"version":7}', '"version"', '{"version"', 'null "version"']) {
      system.submit({ extras: Buffer.from(extras) });
    }
    assert.deepEqual(counts(worker), [4]);
  });
});
