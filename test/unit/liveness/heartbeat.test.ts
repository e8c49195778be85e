import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from '../../../src/liveness/heartbeat.ts';

const NODE = '0123456789abcdef0123456789abcdef';
const SESSION = '0123456789abcdef';
const BEAT: Heartbeat = {
  nodeId: NODE,
  sessionId: SESSION,
  nodeType: 'worker',
  lastHeartbeat: 1_700_000_000_000,
  missedCount: 0,
  interval: 2500,
};
/** A heartbeat as a classic node writes it. */
const CLASSIC = {
  node_id: NODE,
  session_id: SESSION,
  node_type: 'client',
  last_heartbeat: 1_700_000_000_000,
  missed_count: 0,
};

const received = (data: unknown, ...more: string[]) =>
  ['peer', '', 'heartbeat', typeof data === 'string' ? data : JSON.stringify(data), ...more].map((frame) =>
    Buffer.from(frame),
  );

describe('heartbeat codec', () => {
  it('heartbeat codec: writes exactly the frames of the original: delimiter, event, JSON', () => {
    const [delimiter, event, payload, ...rest] = encodeHeartbeat(BEAT);
    assert.deepEqual([delimiter?.length, event?.toString(), rest], [0, 'heartbeat', []]);
    assert.deepEqual(JSON.parse(payload?.toString() ?? ''), {
      ...CLASSIC,
      node_type: 'worker',
      interval: 2500,
    });
  });

  it('heartbeat codec: reads its own heartbeats and classic ones', () => {
    assert.deepEqual(decodeHeartbeat([Buffer.from('peer'), ...encodeHeartbeat(BEAT)]), BEAT);
    const classic = { ...BEAT, nodeType: 'client', interval: undefined };
    assert.deepEqual(decodeHeartbeat(received(CLASSIC)), classic);
    assert.deepEqual(
      decodeHeartbeat(received({ ...CLASSIC, missed_count: undefined, more: 1 }, 'meta')),
      classic,
    );
  });

  it('heartbeat codec: reads custom node ids', () => {
    for (const nodeId of ['my-laptop', 'two words', 'büro', 'a_b', 'x'.repeat(238)]) {
      assert.equal(decodeHeartbeat(received({ ...CLASSIC, node_id: nodeId }))?.nodeId, nodeId);
    }
  });

  it('heartbeat codec: limits the announced interval', () => {
    const interval = (value: unknown) => decodeHeartbeat(received({ ...CLASSIC, interval: value }))?.interval;
    assert.equal(interval(1e12), 600_000);
    for (const none of [0, -5, '10', null, [], undefined]) assert.equal(interval(none), undefined);
  });

  it('heartbeat codec: knows every node type of the original', () => {
    for (const nodeType of ['client', 'worker', 'server', 'router', 'undefined']) {
      assert.equal(decodeHeartbeat(received({ ...CLASSIC, node_type: nodeType }))?.nodeType, nodeType);
    }
  });

  it('heartbeat codec: rejects messages with invalid fields', () => {
    const wrong: unknown[] = [
      null,
      [],
      'text',
      7,
      {},
      { ...CLASSIC, node_id: undefined },
      { ...CLASSIC, node_id: 7 },
      { ...CLASSIC, node_id: '' },
      { ...CLASSIC, node_id: 'two\nlines' },
      { ...CLASSIC, node_id: 'x'.repeat(239) },
      { ...CLASSIC, session_id: null },
      { ...CLASSIC, node_type: 'gateway' },
      { ...CLASSIC, node_type: ['worker'] },
      { ...CLASSIC, node_type: '__proto__' },
      { ...CLASSIC, last_heartbeat: 'now' },
      { ...CLASSIC, last_heartbeat: -1 },
      { ...CLASSIC, missed_count: 'none' },
    ];
    for (const data of wrong) {
      assert.equal(decodeHeartbeat(received(JSON.stringify(data))), undefined, JSON.stringify(data));
    }
  });

  it('heartbeat codec: rejects messages with invalid frames', () => {
    const good = received(CLASSIC);
    const [peer, delimiter, event, payload] = good as [Buffer, Buffer, Buffer, Buffer];
    const wrong = [
      [],
      [peer],
      [peer, delimiter],
      [peer, delimiter, event],
      [peer, event, payload],
      [peer, Buffer.from('x'), event, payload],
      [peer, delimiter, Buffer.from('message'), payload],
      [peer, delimiter, Buffer.from([0xff, 0xfe]), payload],
      [peer, delimiter, event, Buffer.from('{')],
      [peer, delimiter, event, Buffer.from([0x22, 0xff, 0x22])],
      [peer, delimiter, event, Buffer.from('['.repeat(100_000))],
      [peer, delimiter, event, Buffer.alloc(0)],
      Array.from({ length: 10_000 }, () => event),
    ];
    for (const frames of wrong) assert.equal(decodeHeartbeat(frames), undefined);
  });
});
