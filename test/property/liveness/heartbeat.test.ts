import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from '../../../src/liveness/heartbeat.ts';
import { HeartbeatMonitor } from '../../../src/liveness/heartbeat-monitor.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import fc, { runs } from '../../helpers/property.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const amount = fc
  .double({ min: 0, noNaN: true, noDefaultInfinity: true })
  .map((value) => (value === 0 ? 0 : value));
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record(
  {
    nodeId: hex(32),
    sessionId: hex(16),
    nodeType: fc.constantFrom('client', 'worker', 'server', 'router', 'undefined'),
    lastHeartbeat: amount,
    missedCount: amount,
    interval: fc.option(fc.double({ min: 1, max: 600_000, noNaN: true }), { nil: undefined }),
  },
  { noNullPrototype: true },
);

const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each));
const json = fc
  .record(
    {
      node_id: fc.oneof(hex(32), fc.jsonValue()),
      session_id: fc.oneof(hex(16), fc.jsonValue()),
      node_type: fc.oneof(fc.constant('worker'), fc.jsonValue()),
      last_heartbeat: fc.oneof(amount, fc.jsonValue()),
      missed_count: fc.jsonValue(),
      interval: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((data) => Buffer.from(JSON.stringify(data)));
const frame = fc.oneof(
  bytes,
  json,
  fc.constantFrom('', 'heartbeat', '{}', 'null').map((each) => Buffer.from(each)),
);

describe('heartbeats', () => {
  it('heartbeat codec: decodes what it encoded', () => {
    fc.assert(
      fc.property(heartbeat, bytes, (beat, peer) => {
        assert.deepEqual(decodeHeartbeat([peer, ...encodeHeartbeat(beat)]), beat);
      }),
    );
  });

  it('heartbeat codec: random frames never throw, and decoded heartbeats have valid fields', () => {
    const framed = json.map((payload) => [
      Buffer.from('peer'),
      Buffer.alloc(0),
      Buffer.from('heartbeat'),
      payload,
    ]);
    fc.assert(
      fc.property(fc.oneof(fc.array(frame, { maxLength: 8 }), framed), (frames) => {
        const beat = decodeHeartbeat(frames);
        if (beat === undefined) return;
        const key = `${beat.nodeId}_${beat.sessionId}`;
        assert.ok(Buffer.byteLength(key) <= 255 && /^\P{Cc}{3,}$/u.test(key), key);
        assert.ok(beat.lastHeartbeat >= 0 && beat.missedCount >= 0);
        assert.ok(beat.interval === undefined || (beat.interval > 0 && beat.interval <= 600_000));
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('HeartbeatMonitor', () => {
  const rules = { interval: 10, timeout: 30, maxMissed: 3 };
  const step = fc.oneof(
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 120 }) }),
    fc.record({
      kind: fc.constantFrom('beat' as const, 'alive' as const),
      node: fc.constantFrom('a', 'b', 'c'),
    }),
  );

  it('HeartbeatMonitor: reports nodes in order, loses silent ones in time and never one that is alive', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new FakeClock();
        const aliveByKey = new Map<string, boolean>();
        const seen = new Map<string, number>();
        const monitor = new HeartbeatMonitor(
          rules,
          {
            nodeConnected: ({ key }) => {
              assert.notEqual(aliveByKey.get(key), true);
              aliveByKey.set(key, true);
            },
            heartbeatMissed: ({ key }) => assert.equal(aliveByKey.get(key), true),
            nodeLost: ({ key }, silentFor) => {
              assert.equal(aliveByKey.get(key), true);
              assert.equal(silentFor, clock.now() - (seen.get(key) ?? 0));
              assert.ok(silentFor > rules.timeout + rules.maxMissed * rules.interval);
              aliveByKey.set(key, false);
            },
          },
          clock,
        );
        monitor.start();
        for (const each of steps) {
          if (each.kind === 'advance') clock.advance(each.ms);
          else {
            const key = `${each.node}_s`;
            if (each.kind === 'alive' && aliveByKey.has(key)) seen.set(key, clock.now());
            if (each.kind === 'beat') seen.set(key, clock.now());
            if (each.kind === 'alive') monitor.alive(key);
            else
              monitor.beat({
                nodeId: each.node,
                sessionId: 's',
                nodeType: 'worker',
                lastHeartbeat: 0,
                missedCount: 0,
                interval: undefined,
              });
          }
          for (const [key, alive] of aliveByKey) {
            const silentFor = clock.now() - (seen.get(key) ?? 0);
            if (alive) assert.ok(silentFor <= rules.timeout + (rules.maxMissed + 2) * rules.interval, key);
          }
        }
        monitor.stop();
        assert.equal(clock.pending, 0);
      }),
      { numRuns: runs(300) },
    );
  });
});
