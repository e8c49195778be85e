/** Workers whose connection is dead are found by their silence while others are heard. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AudibleWorker, SilentWorkers } from '../../../../src/router/backend/silent-workers.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

interface FakeWorker extends AudibleWorker {
  readonly name: string;
  asked: number;
}

function worker(name: string, options: Partial<AudibleWorker> = {}): FakeWorker {
  const made: FakeWorker = {
    ...{ name, heard: false, silent: 0, pings: true, holds: true, asked: 0, ...options },
    ping: () => void (made.asked += 1),
  };
  return made;
}

/** @param audible workers of which each interval brings a message. */
function make(workers: readonly FakeWorker[], audible: readonly FakeWorker[]) {
  const clock = new FakeClock();
  const silent: string[] = [];
  const detector = new SilentWorkers(
    () => workers.values(),
    clock,
    ({ name }) => void silent.push(name),
  );
  detector.start();
  const pass = (checks: number): void => {
    for (let check = 0; check < checks; check += 1) {
      for (const each of audible) each.heard = true;
      clock.advance(500);
    }
  };
  return { clock, detector, silent, pass };
}

describe('SilentWorkers', () => {
  it('SilentWorkers: reports a worker that answers no ping while another one is heard', () => {
    const [dead, live] = [worker('dead'), worker('live')];
    const { silent, pass, detector, clock } = make([dead, live], [live]);
    pass(2);
    assert.deepEqual([silent, dead.asked, live.asked], [[], 1, 0]);
    pass(1);
    assert.deepEqual(silent, ['dead']);
    dead.heard = true;
    pass(1);
    assert.deepEqual(silent, ['dead']);
    detector.stop();
    assert.equal(clock.pending, 0);
  });

  it('SilentWorkers: reports no worker while none is heard, none that is idle, and none that knows no pings', () => {
    const alone = make([worker('a'), worker('b')], []);
    alone.pass(10);
    assert.deepEqual(alone.silent, []);
    const live = worker('live');
    const others = [worker('idle', { holds: false }), worker('old', { pings: false }), live];
    const mixed = make(others, [live]);
    mixed.pass(10);
    assert.deepEqual([mixed.silent, others.map(({ asked }) => asked)], [[], [0, 0, 0]]);
  });

  it('SilentWorkers: checks nothing while no worker answers pings', () => {
    const { clock, pass } = make([worker('old', { pings: false })], []);
    pass(1);
    assert.equal(clock.pending, 0);
  });
});
