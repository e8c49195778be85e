import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeartbeatMonitor } from '../../../src/liveness/heartbeat-monitor.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

test('HeartbeatMonitor: accepts heartbeats of a node only from the key that sent its first one', () => {
  const clock = new FakeClock();
  const lost: string[] = [];
  const listener = {
    nodeConnected: () => undefined,
    heartbeatMissed: () => undefined,
    nodeLost: ({ key }: { key: string }) => lost.push(key),
  };
  const monitor = new HeartbeatMonitor({ interval: 100, timeout: 100, maxMissed: 1 }, listener, clock);
  const beat = {
    nodeId: 'n',
    sessionId: 's',
    nodeType: 'worker',
    lastHeartbeat: 0,
    missedCount: 0,
    interval: undefined,
  } as const;
  monitor.start();
  assert.equal(monitor.beat(beat, 'its key'), true);
  for (let check = 0; check < 5; check += 1) {
    clock.advance(100);
    assert.equal(monitor.beat(beat, 'another key'), false);
    assert.equal(monitor.beat(beat), false);
  }
  assert.deepEqual(lost, ['n_s']);
  assert.equal(monitor.beat(beat, 'its key'), true);
  monitor.stop();
});
