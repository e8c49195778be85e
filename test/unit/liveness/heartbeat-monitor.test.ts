import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Heartbeat } from '../../../src/liveness/heartbeat.ts';
import { HeartbeatMonitor, type HeartbeatRules } from '../../../src/liveness/heartbeat-monitor.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const RULES: HeartbeatRules = { interval: 10_000, timeout: 30_000, maxMissed: 3 };

function heartbeat(nodeId: string, more: Partial<Heartbeat> = {}): Heartbeat {
  return {
    nodeId,
    sessionId: 's',
    nodeType: 'worker',
    lastHeartbeat: 0,
    missedCount: 0,
    interval: undefined,
    ...more,
  };
}

function makeMonitor(rules: HeartbeatRules = RULES) {
  const clock = new FakeClock();
  const start = clock.now();
  const log: string[] = [];
  const record = (what: string) => log.push(`${(clock.now() - start) / 1000} s: ${what}`);
  const monitor = new HeartbeatMonitor(
    rules,
    {
      nodeConnected: (node) => record(`${node.key} ${node.returned ? 'returned' : 'connected'}`),
      heartbeatMissed: (node, silentFor) =>
        record(`${node.key} missed ${node.missed}, silent for ${silentFor / 1000} s`),
      nodeLost: (node) => record(`${node.key} lost`),
    },
    clock,
  );
  monitor.start();
  return { clock, monitor, log };
}

describe('HeartbeatMonitor', () => {
  it('HeartbeatMonitor: a node is lost at the fourth consecutive check that finds it silent for more than 30 s', () => {
    const { clock, monitor, log } = makeMonitor();
    monitor.beat(heartbeat('a'));
    clock.advance(120_000);
    assert.deepEqual(log, [
      '0 s: a_s connected',
      '40 s: a_s missed 1, silent for 40 s',
      '50 s: a_s missed 2, silent for 50 s',
      '60 s: a_s missed 3, silent for 60 s',
      '70 s: a_s missed 4, silent for 70 s',
      '70 s: a_s lost',
    ]);
  });

  it('HeartbeatMonitor: a heartbeat resets the count of missed checks', () => {
    const { clock, monitor, log } = makeMonitor();
    for (let round = 0; round < 5; round += 1) {
      monitor.beat(heartbeat('a'));
      clock.advance(60_000);
    }
    assert.equal(log.filter((line) => line.includes('lost')).length, 0);
    assert.equal(log.filter((line) => line.includes('missed 3')).length > 0, true);
  });

  it('HeartbeatMonitor: counts any other message of a known node as a sign of life', () => {
    const { clock, monitor, log } = makeMonitor();
    monitor.beat(heartbeat('a'));
    for (let round = 0; round < 20; round += 1) {
      clock.advance(10_000);
      monitor.alive('a_s');
      monitor.alive('stranger_s');
    }
    assert.deepEqual(log, ['0 s: a_s connected']);
    assert.equal(monitor.nodes.length, 1);
  });

  for (const [what, sign] of [
    ['heartbeat', (monitor: HeartbeatMonitor) => monitor.beat(heartbeat('a'))],
    ['message', (monitor: HeartbeatMonitor) => monitor.alive('a_s')],
  ] as const) {
    it(`HeartbeatMonitor: reports once that a node returned by a ${what}, and loses it again`, () => {
      const { clock, monitor, log } = makeMonitor({ ...RULES, maxMissed: 0 });
      monitor.beat(heartbeat('a'));
      clock.advance(45_000);
      sign(monitor);
      sign(monitor);
      clock.advance(45_000);
      assert.deepEqual(
        log.filter((line) => !line.includes('missed')),
        ['0 s: a_s connected', '40 s: a_s lost', '45 s: a_s returned', '80 s: a_s lost'],
      );
    });
  }

  it('HeartbeatMonitor: distinguishes sessions of one node', () => {
    const { monitor, log } = makeMonitor();
    monitor.beat(heartbeat('a', { sessionId: '1' }));
    monitor.beat(heartbeat('a', { sessionId: '2' }));
    assert.deepEqual(log, ['0 s: a_1 connected', '0 s: a_2 connected']);
  });

  it('HeartbeatMonitor: allows three intervals to a node that announces a longer interval', () => {
    const { clock, monitor, log } = makeMonitor();
    for (let round = 0; round < 5; round += 1) {
      monitor.beat(heartbeat('slow', { interval: 60_000 }));
      clock.advance(60_000);
    }
    assert.deepEqual(log, ['0 s: slow_s connected']);
    clock.advance(180_000);
    assert.ok(log.includes('460 s: slow_s lost'), log.join('\n'));
  });

  it('HeartbeatMonitor: shorter announced intervals and clock jumps have no effect', () => {
    const { clock, monitor, log } = makeMonitor();
    monitor.beat(heartbeat('fast', { interval: 10, lastHeartbeat: 5 }));
    clock.jumpWall(3_600_000);
    clock.advance(30_000);
    clock.jumpWall(-7_200_000);
    monitor.beat(heartbeat('fast', { interval: 10, lastHeartbeat: 9e15 }));
    clock.advance(30_000);
    assert.deepEqual(log, ['0 s: fast_s connected']);
  });

  it('HeartbeatMonitor: does not blame nodes for a time when it was suspended itself', () => {
    const { clock, monitor, log } = makeMonitor();
    monitor.beat(heartbeat('a'));
    // As after SIGSTOP: much time passes, one check fires, then the socket delivers queued
    // heartbeats.
    const frozen = new HeartbeatMonitor(
      RULES,
      { nodeConnected() {}, heartbeatMissed() {}, nodeLost: () => log.push('lost') },
      clock,
    );
    frozen.beat(heartbeat('b'));
    clock.advance(300_000);
    frozen.start();
    clock.advance(10_000);
    frozen.beat(heartbeat('b'));
    clock.advance(30_000);
    assert.equal(log.includes('lost'), false);
    frozen.stop();
    monitor.stop();
  });

  it('HeartbeatMonitor: forgets a node that left', () => {
    const { clock, monitor, log } = makeMonitor();
    monitor.beat(heartbeat('a'));
    monitor.forget('a_s');
    clock.advance(120_000);
    assert.deepEqual(log, ['0 s: a_s connected']);
  });

  it('HeartbeatMonitor: forgets lost nodes after a while, and when it needs room', () => {
    const { clock, monitor, log } = makeMonitor({ ...RULES, maxMissed: 0, maxNodes: 2 });
    assert.equal(monitor.beat(heartbeat('a')), true);
    assert.equal(monitor.beat(heartbeat('b')), true);
    assert.equal(monitor.beat(heartbeat('c')), false);
    clock.advance(30_000);
    monitor.beat(heartbeat('b'));
    clock.advance(20_000);
    assert.equal(monitor.beat(heartbeat('c')), true);
    assert.deepEqual(
      monitor.nodes.map(({ key }) => key),
      ['b_s', 'c_s'],
    );
    assert.ok(log.some((line) => line.includes('a_s lost')));
    clock.advance(30_000 * 25);
    assert.equal(monitor.nodes.length, 0);
  });

  it('HeartbeatMonitor: leaves no timer after a stop, even from within a callback', () => {
    const { clock, monitor } = makeMonitor();
    assert.equal(clock.pending, 1);
    monitor.stop();
    assert.equal(clock.pending, 0);
    const stopping = new HeartbeatMonitor(
      { ...RULES, maxMissed: 0 },
      { nodeConnected() {}, heartbeatMissed() {}, nodeLost: () => stopping.stop() },
      clock,
    );
    stopping.start();
    stopping.beat(heartbeat('a'));
    stopping.beat(heartbeat('b'));
    clock.advance(100_000);
    assert.equal(clock.pending, 0);
    assert.deepEqual(stopping.nodes, []);
  });
});
