import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CANCEL_REASONS } from '../../../src/core/messages/cancel-reason.ts';
import { MAX_EVENT_NAME, MAX_HEAD_BYTES, OWN_FRAME_BYTES } from '../../../src/wire/limits.ts';
import { isPacked, type PackedSink, readPacked } from '../../../src/wire/packed.ts';
import { PackedBatch } from '../../../src/wire/packed-batch.ts';
import { PACKED_MAGIC } from '../../../src/wire/packed-records.ts';
import { makeReply, makeRequest } from './messages.ts';

interface Unpacked {
  ok: boolean;
  records: unknown[];
}

function unpack(frames: readonly Buffer[], maxHead?: number, calls = false): Unpacked {
  const records: unknown[] = [];
  const sink: PackedSink = {
    packedRequest: (id, generation, message) => records.push({ id, generation, message }),
    packedReply: (id, generation, message) => records.push({ id, generation, message }),
    packedCancel: (id, generation, why) => records.push({ id, generation, why }),
  };
  if (calls) {
    sink.packedCall = (id, generation, message, parent) => records.push({ id, generation, message, parent });
  }
  return { ok: readPacked(frames, 0, sink, maxHead), records };
}

const oneRequest = (members: Parameters<typeof makeRequest>[0] = {}): Buffer[] => {
  const batch = new PackedBatch();
  batch.addRequest(7, 8, makeRequest(members));
  return batch.take();
};

describe('packed batches', () => {
  it('packed batch: carries requests, replies and cancels in order', () => {
    const batch = new PackedBatch();
    const request = makeRequest({ requestId: 'r', extras: Buffer.from('{"key":"k"}'), idempotent: true });
    const reply = makeReply({
      status: 404,
      code: 'X',
      contentType: 'text/plain',
      dispatched: false,
      more: true,
    });
    batch.addRequest(1, 0xffffffff, request);
    batch.addReply(0xffffffff, 2, reply);
    for (const why of CANCEL_REASONS) batch.addCancel(3, 4, why);
    assert.deepEqual(unpack(batch.take()), {
      ok: true,
      records: [
        { id: 1, generation: 0xffffffff, message: request },
        { id: 0xffffffff, generation: 2, message: reply },
        ...CANCEL_REASONS.map((why) => ({ id: 3, generation: 4, why })),
      ],
    });
  });

  it('packed batch: a request without streams has the bytes that earlier versions send', () => {
    const [head] = oneRequest({ eventName: 'e', body: Buffer.from('1'), timeLeft: 5 });
    assert.equal(
      head?.toString('hex'),
      '005a4701' +
        '0100' +
        '07000000' +
        '08000000' +
        '05000000' +
        '0100' +
        '00' +
        '0000' +
        '01000000' +
        '6531',
    );
  });

  it('packed batch: carries windows, chunks and grants', () => {
    const records: unknown[] = [];
    const batch = new PackedBatch();
    const streamed = { ...makeRequest(), window: 0xffffffff, upload: true };
    const large = Buffer.alloc(OWN_FRAME_BYTES, 7);
    batch.addRequest(1, 2, streamed);
    batch.addChunk(1, 2, large, false);
    batch.addChunk(1, 2, Buffer.alloc(0), true);
    batch.addWindow(1, 2, 65_536);
    batch.addCallWindow(3, 4, 100);
    const ok = readPacked(batch.take(), 0, {
      packedRequest: (id, generation, message) => records.push({ id, generation, message }),
      packedReply: () => records.push('reply'),
      packedCancel: () => records.push('cancel'),
      packedChunk: (id, generation, body, end) => records.push({ id, generation, body, end }),
      packedWindow: (id, generation, bytes) => records.push({ id, generation, bytes }),
      packedCallWindow: (id, generation, callBytes) => records.push({ id, generation, callBytes }),
    });
    assert.equal(ok, true);
    assert.deepEqual(records, [
      { id: 1, generation: 2, message: streamed },
      { id: 1, generation: 2, body: large, end: false },
      { id: 1, generation: 2, body: Buffer.alloc(0), end: true },
      { id: 1, generation: 2, bytes: 65_536 },
      { id: 3, generation: 4, callBytes: 100 },
    ]);
  });

  it('packed batch: chunks and grants are broken for a sink that takes no streams', () => {
    for (const add of [
      (batch: PackedBatch) => batch.addChunk(1, 2, Buffer.from('x'), false),
      (batch: PackedBatch) => batch.addWindow(1, 2, 3),
      (batch: PackedBatch) => batch.addCallWindow(1, 2, 3),
    ]) {
      const batch = new PackedBatch();
      add(batch);
      assert.deepEqual(unpack(batch.take()), { ok: false, records: [] });
    }
  });

  it('packed batch: carries calls with the request whose handler calls', () => {
    const batch = new PackedBatch();
    const large = makeRequest({ body: Buffer.alloc(OWN_FRAME_BYTES, '1') });
    const parents = [
      { id: 5, generation: 0xfffffffe, depth: 1 },
      { id: 0, generation: 0, depth: 16 },
    ] as const;
    batch.addCall(1, 2, makeRequest({ requestId: 'r' }), parents[0]);
    batch.addRequest(3, 4, makeRequest());
    batch.addCall(6, 7, large, parents[1]);
    const { bytes } = batch;
    const frames = batch.take();
    assert.equal(
      frames.reduce((sum, frame) => sum + frame.length, 0),
      bytes,
    );
    assert.deepEqual(unpack(frames, undefined, true), {
      ok: true,
      records: [
        { id: 1, generation: 2, message: makeRequest({ requestId: 'r' }), parent: parents[0] },
        { id: 3, generation: 4, message: makeRequest() },
        { id: 6, generation: 7, message: large, parent: parents[1] },
      ],
    });
    assert.deepEqual(unpack(frames), { ok: false, records: [] }, 'a sink that takes no calls');
  });

  for (const [name, change] of [
    ['the depth 0', (head: Buffer) => head.writeUInt8(0, 5)],
    ['a reply behind it', (head: Buffer) => head.writeUInt8(2, 14)],
  ] as const) {
    it(`packed batch: is broken if a call has ${name}`, () => {
      const batch = new PackedBatch();
      batch.addCall(1, 2, makeRequest(), { id: 3, generation: 4, depth: 1 });
      const frames = batch.take();
      change(frames[0] ?? assert.fail());
      assert.deepEqual(unpack(frames, undefined, true), { ok: false, records: [] });
    });
  }

  it('packed batch: is broken if nothing follows a call', () => {
    const batch = new PackedBatch();
    batch.addCall(1, 2, makeRequest(), { id: 3, generation: 4, depth: 1 });
    const [head = assert.fail()] = batch.take();
    assert.deepEqual(unpack([head.subarray(0, 14)], undefined, true), { ok: false, records: [] });
  });

  it('packed batch: reads an unknown cancel reason as a cancel by the caller', () => {
    const batch = new PackedBatch();
    batch.addCancel(3, 4);
    const frames = batch.take();
    frames[0]?.writeUInt8(200, 5);
    assert.deepEqual(unpack(frames), { ok: true, records: [{ id: 3, generation: 4, why: 'cancelled' }] });
  });

  it('packed batch: knows its size and is empty after encoding', () => {
    const batch = new PackedBatch();
    batch.addRequest(1, 1, makeRequest({ body: Buffer.alloc(OWN_FRAME_BYTES) }));
    batch.addReply(1, 1, makeReply());
    const { size, bytes } = batch;
    const frames = batch.take();
    assert.deepEqual([size, bytes], [2, frames.reduce((sum, frame) => sum + frame.length, 0)]);
    assert.equal(batch.size, 0);
  });

  it('packed batch: puts bodies of 16 KiB and more into frames of their own without a copy', () => {
    for (const [length, own] of [
      [OWN_FRAME_BYTES - 1, false],
      [OWN_FRAME_BYTES, true],
    ] as const) {
      const body = Buffer.alloc(length, 'x');
      const frames = oneRequest({ body });
      assert.equal(frames.length, own ? 2 : 1, `${length} bytes`);
      assert.equal(frames[1] === body, own);
      assert.deepEqual(unpack(frames).records, [{ id: 7, generation: 8, message: makeRequest({ body }) }]);
    }
  });

  it('packed batch: keeps everything in one frame with separate memory for a transfer', () => {
    const batch = new PackedBatch(true);
    batch.addReply(1, 2, makeReply({ body: Buffer.alloc(OWN_FRAME_BYTES * 2, 'x') }));
    const [head, ...rest] = batch.take();
    assert.equal(rest.length, 0);
    assert.equal(head?.buffer.byteLength, head?.length);
  });

  it('packed batch: rounds the time left up and limits it', () => {
    const timeLeft = (value: number): unknown => {
      const [record] = unpack(oneRequest({ timeLeft: value })).records as { message: { timeLeft: number } }[];
      return record?.message.timeLeft;
    };
    assert.deepEqual([0, 0.1, 1, 1e15].map(timeLeft), [0, 1, 1, 0xffffffff]);
  });

  it('packed batch: carries event names of any script', () => {
    const eventName = 'größe.✓.日本語.\ufffd';
    assert.deepEqual(unpack(oneRequest({ eventName })).records, [
      { id: 7, generation: 8, message: makeRequest({ eventName }) },
    ]);
  });
});

describe('broken packed messages', () => {
  /** A request record with one byte changed. */
  const changed = (at: number, byte: number): Unpacked => {
    const [head = Buffer.alloc(0)] = oneRequest({ requestId: 'r' });
    head[PACKED_MAGIC.length + at] = byte;
    return unpack([head]);
  };

  it('broken packed message: is reported, and the records before the fault are delivered', () => {
    const batch = new PackedBatch();
    batch.addCancel(1, 2);
    const [head = Buffer.alloc(0)] = batch.take();
    assert.deepEqual(unpack([Buffer.concat([head, Buffer.from([9])])]), {
      ok: false,
      records: [{ id: 1, generation: 2, why: 'cancelled' }],
    });
  });

  it('broken packed message: may be truncated anywhere', () => {
    const batch = new PackedBatch();
    batch.addRequest(1, 2, makeRequest({ requestId: 'r', extras: Buffer.from('{}') }));
    const [head = Buffer.alloc(0)] = batch.take();
    for (let end = PACKED_MAGIC.length + 1; end < head.length; end += 1) {
      assert.deepEqual(unpack([head.subarray(0, end)]), { ok: false, records: [] }, `cut at ${end}`);
    }
  });

  it('broken packed message: has an event name that is empty, too long or not UTF-8', () => {
    assert.equal(changed(14, 0).ok, false);
    assert.equal(unpack(oneRequest({ eventName: 'n'.repeat(MAX_EVENT_NAME) })).ok, true);
    const [head = Buffer.alloc(0)] = oneRequest({ eventName: 'n'.repeat(MAX_EVENT_NAME) });
    head.writeUInt16LE(MAX_EVENT_NAME + 1, PACKED_MAGIC.length + 14);
    assert.equal(unpack([head]).ok, false);
    assert.equal(changed(23, 0xff).ok, false);
  });

  it('broken packed message: has an unprintable request id or code', () => {
    assert.equal(changed(27, 0x0a).ok, false);
    const batch = new PackedBatch();
    batch.addReply(1, 2, makeReply({ code: 'A' }));
    const [head = Buffer.alloc(0)] = batch.take();
    head[PACKED_MAGIC.length + 20] = 0xe4;
    assert.equal(unpack([head]).ok, false);
  });

  it('broken packed message: has an invalid status', () => {
    const batch = new PackedBatch();
    batch.addReply(1, 2, makeReply({ status: 99 }));
    assert.equal(unpack(batch.take()).ok, false);
  });

  it('broken packed message: has a missing, extra or wrongly sized body frame', () => {
    const [head = Buffer.alloc(0), body = Buffer.alloc(0)] = oneRequest({
      body: Buffer.alloc(OWN_FRAME_BYTES),
    });
    assert.equal(unpack([head]).ok, false);
    assert.equal(unpack([head, body.subarray(1)]).ok, false);
    assert.equal(unpack([head, body, body]).ok, false);
    assert.equal(unpack([head, body]).ok, true);
  });

  it('broken packed message: has a first frame larger than any sender creates', () => {
    const frame = Buffer.concat([PACKED_MAGIC, Buffer.alloc(MAX_HEAD_BYTES)]);
    assert.deepEqual(unpack([frame]), { ok: false, records: [] });
  });
});

describe('isPacked', () => {
  it('isPacked: recognises the magic bytes', () => {
    assert.ok(isPacked(Buffer.concat([PACKED_MAGIC, Buffer.alloc(10)])));
    for (const frame of ['', 'T', '$', 'echo', '{}']) assert.ok(!isPacked(Buffer.from(frame)), frame);
  });

  it('isPacked: rejects generated ROUTER identities that start with the same bytes', () => {
    assert.ok(!isPacked(Buffer.concat([PACKED_MAGIC, Buffer.from([0x42])])));
  });
});
