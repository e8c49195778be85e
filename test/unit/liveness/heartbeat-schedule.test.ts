import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeHeartbeat } from '../../../src/liveness/heartbeat.ts';
import { HeartbeatSender } from '../../../src/liveness/heartbeat-schedule.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

function makeSender(interval = 1000) {
  const clock = new FakeClock({ wall: 50_000 });
  const sent: number[] = [];
  const sender = new HeartbeatSender({
    identity: { nodeId: 'n', sessionId: 's' },
    nodeType: 'client',
    interval,
    clock,
    send(frames) {
      const heartbeat = decodeHeartbeat([Buffer.from('peer'), ...frames]);
      assert.ok(heartbeat !== undefined);
      assert.deepEqual([heartbeat.nodeId, heartbeat.nodeType, heartbeat.interval], ['n', 'client', interval]);
      sent.push(heartbeat.lastHeartbeat);
    },
  });
  return { clock, sent, sender };
}

describe('HeartbeatSender', () => {
  it('HeartbeatSender: sends at once and then once per interval, with the wall time', () => {
    const { clock, sent, sender } = makeSender();
    sender.start();
    sender.start();
    clock.advance(3500);
    assert.deepEqual(sent, [50_000, 51_000, 52_000, 53_000]);
    sender.stop();
    sender.stop();
    clock.advance(5000);
    assert.equal(sent.length, 4);
    assert.equal(clock.pending, 0);
  });

  it('HeartbeatSender: sends an extra heartbeat on request and restarts the interval', () => {
    const { clock, sent, sender } = makeSender();
    sender.start();
    clock.advance(700);
    sender.beat();
    clock.advance(1100);
    assert.deepEqual(sent, [50_000, 50_700, 51_700]);
    sender.stop();
  });

  it('HeartbeatSender: starts again after a stop', () => {
    const { clock, sent, sender } = makeSender();
    sender.start();
    sender.stop();
    clock.advance(500);
    sender.start();
    assert.deepEqual(sent, [50_000, 50_500]);
    sender.stop();
  });
});
