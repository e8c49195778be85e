/**
 * The codecs: both formats decode what they encoded, and broken messages are rejected without side
 * effects.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallParent } from '../../src/core/messages/calls.ts';
import type { ReplyMessage, RequestMessage } from '../../src/core/messages/message.ts';
import {
  MalformedFrames,
  readClassic,
  replyFrames,
  requestFrames,
  toReply,
  toRequest,
} from '../../src/wire/classic.ts';
import { controlData, isControl, readHello } from '../../src/wire/control.ts';
import { MAX_BATCH_BYTES, OWN_FRAME_BYTES } from '../../src/wire/limits.ts';
import { decodeReplyMetadata, decodeRequestMetadata } from '../../src/wire/metadata.ts';
import { isPacked, type PackedSink, readPacked } from '../../src/wire/packed.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { encodeToken, isToken, tokenGeneration, tokenId } from '../../src/wire/token.ts';
import fc from '../helpers/property.ts';

/** Records with a prototype, like those of the codecs. */
const recordOf = <T>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(members, { noNullPrototype: true });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
/** Realistic names in any script. */
const eventName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }).filter((name) => {
  const bytes = Buffer.from(name);
  return bytes.length <= 1024 && bytes.toString() === name;
});
const printable = (maxLength: number, from = 0x20) =>
  fc.string({
    unit: fc.integer({ min: from, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength,
  });
const body = fc.oneof(
  { weight: 8, arbitrary: fc.json({ maxDepth: 3 }).map((json) => Buffer.from(json)) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -2, max: 2 }).map((by) => Buffer.alloc(OWN_FRAME_BYTES + by, '7')),
  },
);
/** Keys in an order that JSON preserves; integer-like keys would come first. */
const key = printable(10, 0x61).map((text) => `k${text}`);
const extras = fc
  .oneof(
    fc.constant(''),
    fc
      .dictionary(key, fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minKeys: 1 })
      .map((ext) => JSON.stringify(ext)),
  )
  .map((text) => Buffer.from(text));

const request: fc.Arbitrary<RequestMessage> = recordOf<RequestMessage>({
  eventName,
  body,
  timeLeft: u32,
  idempotent: fc.boolean(),
  requestId: printable(255, 0x21),
  extras,
});
/** A request whose reply or body is a stream; only the packed codec carries it as such. */
const streamed: fc.Arbitrary<RequestMessage> = fc
  .tuple(request, fc.option(u32, { nil: undefined }), fc.boolean())
  .map(([message, window, upload]) => ({
    ...message,
    ...(window === undefined ? {} : { window }),
    ...(upload ? { upload } : {}),
  }));
const reply: fc.Arbitrary<ReplyMessage> = recordOf<ReplyMessage>({
  status: fc.integer({ min: 100, max: 599 }),
  code: printable(255),
  dispatched: fc.boolean(),
  more: fc.boolean(),
  contentType: printable(255),
  extras,
  body,
});

interface Slot {
  id: number;
  generation: number;
}
interface Requested extends Slot {
  request: RequestMessage;
}
interface Replied extends Slot {
  reply: ReplyMessage;
}
interface Called extends Requested {
  parent: CallParent;
}
interface Chunked extends Slot {
  chunk: Buffer;
  end: boolean;
}
interface Granted extends Slot {
  bytes: number;
}
interface CallGranted extends Slot {
  callBytes: number;
}
type Sent = Requested | Called | Replied | Chunked | Granted | CallGranted | Slot;

const record: fc.Arbitrary<Sent> = fc.oneof(
  recordOf<Requested>({ id: u32, generation: u32, request }),
  recordOf<Called>({
    id: u32,
    generation: u32,
    request: fc.oneof(request, streamed),
    parent: recordOf<CallParent>({ id: u32, generation: u32, depth: fc.integer({ min: 1, max: 255 }) }),
  }),
  recordOf<Replied>({ id: u32, generation: u32, reply }),
  recordOf<Slot>({ id: u32, generation: u32 }),
  recordOf<Requested>({ id: u32, generation: u32, request: streamed }),
  recordOf<Chunked>({
    id: u32,
    generation: u32,
    chunk: fc.oneof(body, fc.constant(Buffer.alloc(0))),
    end: fc.boolean(),
  }),
  recordOf<Granted>({ id: u32, generation: u32, bytes: u32 }),
  recordOf<CallGranted>({ id: u32, generation: u32, callBytes: u32 }),
);

function isStreamed({ window, upload }: RequestMessage): boolean {
  return window !== undefined || upload === true;
}

/** Collects the records of a packed message. */
class Collector implements PackedSink {
  readonly records: Sent[] = [];

  packedRequest(id: number, generation: number, message: RequestMessage): void {
    this.records.push({ id, generation, request: message });
  }

  packedCall(id: number, generation: number, message: RequestMessage, parent: CallParent): void {
    this.records.push({ id, generation, request: message, parent });
  }

  packedReply(id: number, generation: number, message: ReplyMessage): void {
    this.records.push({ id, generation, reply: message });
  }

  packedCancel(id: number, generation: number): void {
    this.records.push({ id, generation });
  }

  packedChunk(id: number, generation: number, chunk: Buffer, end: boolean): void {
    this.records.push({ id, generation, chunk, end });
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    this.records.push({ id, generation, bytes });
  }

  packedCallWindow(id: number, generation: number, callBytes: number): void {
    this.records.push({ id, generation, callBytes });
  }
}

function pack(records: readonly Sent[]): Buffer[] {
  const batch = new PackedBatch();
  for (const sent of records) {
    if ('parent' in sent) batch.addCall(sent.id, sent.generation, sent.request, sent.parent);
    else if ('request' in sent) batch.addRequest(sent.id, sent.generation, sent.request);
    else if ('reply' in sent) batch.addReply(sent.id, sent.generation, sent.reply);
    else if ('chunk' in sent) batch.addChunk(sent.id, sent.generation, sent.chunk, sent.end);
    else if ('bytes' in sent) batch.addWindow(sent.id, sent.generation, sent.bytes);
    else if ('callBytes' in sent) batch.addCallWindow(sent.id, sent.generation, sent.callBytes);
    else batch.addCancel(sent.id, sent.generation);
  }
  const { bytes } = batch;
  const frames = batch.take();
  assert.equal(bytes, lengthOf(frames), 'the size before encoding');
  return frames;
}

function lengthOf(frames: readonly Buffer[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}

function unpack(frames: readonly Buffer[]): { ok: boolean; records: Sent[] } {
  const collector = new Collector();
  const ok = readPacked(frames, 0, collector);
  return { ok, records: collector.records };
}

function readOne(frames: readonly Buffer[]) {
  const classic = readClassic(frames, 0);
  assert.ok(!(classic instanceof MalformedFrames));
  return classic;
}

describe('packed codec', () => {
  it('packed codec: decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
        const frames = pack(records);
        assert.ok(frames[0] !== undefined && isPacked(frames[0]));
        assert.deepEqual(unpack(frames), { ok: true, records });
      }),
    );
  });

  it('packed codec: rejects truncated messages and delivers no record that was not sent', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (records, share) => {
          const [head = Buffer.alloc(0), ...bodies] = pack(records);
          const cut = 4 + Math.floor((head.length - 4) * share);
          if (cut === head.length) return;
          const read = unpack([head.subarray(0, cut), ...bodies]);
          assert.deepEqual(read.records, records.slice(0, read.records.length));
          assert.ok(read.records.length < records.length, 'the cut record is not delivered');
        },
      ),
    );
  });

  it('packed codec: neither throws nor reads out of bounds when bits are flipped', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 })), { minLength: 1, maxLength: 8 }),
        (records, flips) => {
          const frames = pack(records).map((frame) => Buffer.from(frame));
          const [head = Buffer.alloc(0)] = frames;
          for (const [at, bit] of flips) {
            const index = 4 + (at % (head.length - 4));
            head[index] = (head[index] ?? 0) ^ (1 << bit);
          }
          const read = unpack(frames);
          const bytes = read.records.reduce((sum, sent) => sum + sizeOf(sent), 0);
          assert.ok(bytes <= lengthOf(frames), 'the records are larger than the frames');
        },
      ),
    );
  });

  it('packed codec: never throws on random frames', () => {
    const frame = fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => Buffer.from([0x00, 0x5a, 0x47, 0x01, ...bytes]));
    const more = fc.array(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 3 },
    );
    fc.assert(fc.property(frame, more, (head, bodies) => void unpack([head, ...bodies])));
  });

  it('packed codec: full batches stay within the limits of readers', () => {
    const batch = new PackedBatch();
    const large = {
      eventName: 'n',
      timeLeft: 0,
      idempotent: false,
      requestId: '',
      extras: Buffer.alloc(65_535, ' '),
    };
    while (batch.bytes < MAX_BATCH_BYTES) {
      batch.addRequest(1, 1, { ...large, body: Buffer.alloc(OWN_FRAME_BYTES - 1) });
    }
    assert.equal(unpack(batch.take()).ok, true);
  });
});

/** Size in bytes of the variable fields of a record. */
function sizeOf(sent: Sent): number {
  if ('request' in sent)
    return sent.request.body.length + sent.request.extras.length + sent.request.requestId.length;
  if ('reply' in sent) return sent.reply.body.length + sent.reply.extras.length + sent.reply.code.length;
  if ('chunk' in sent) return sent.chunk.length;
  return 8;
}

describe('classic codec', () => {
  it('classic codec: decodes requests with any envelope', () => {
    const envelope = fc.array(
      fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      {
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(envelope, request, fc.boolean(), (before, message, packs) => {
        const classic = readOne([...before, Buffer.alloc(0), ...requestFrames(message, packs)]);
        assert.deepEqual(classic.envelope, before);
        assert.deepEqual(toRequest(classic), { message, packs, streams: packs, native: true, broken: false });
      }),
    );
  });

  it('classic codec: decodes the replies that it encoded', () => {
    fc.assert(
      fc.property(reply, eventName, (message, name) => {
        const classic = readOne([Buffer.alloc(0), ...replyFrames(name, message, 'packs')]);
        assert.equal(classic.eventName, name);
        assert.deepEqual(toReply(classic), {
          message,
          packs: true,
          streams: true,
          native: true,
          broken: false,
          badJson: false,
        });
      }),
    );
  });

  it('classic codec: carries the same requests and replies as the packed codec', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
        const sent = records.filter(
          (one): one is Requested | Replied =>
            ('request' in one && !('parent' in one) && !isStreamed(one.request)) || 'reply' in one,
        );
        const decoded = sent.map((one): Sent => {
          const head = [encodeToken(one.id, one.generation), Buffer.alloc(0)];
          const frames =
            'request' in one ? requestFrames(one.request, true) : replyFrames('e', one.reply, 'packs');
          const classic = readOne([...head, ...frames]);
          const [token = Buffer.alloc(0)] = classic.envelope;
          const slot = { id: tokenId(token), generation: tokenGeneration(token) };
          return 'request' in one
            ? { ...slot, request: toRequest(classic).message }
            : { ...slot, reply: toReply(classic).message };
        });
        assert.deepEqual(decoded, unpack(pack(sent)).records);
      }),
    );
  });

  it('classic codec: never throws on random frames', () => {
    const frame = fc.oneof(
      fc
        .constantFrom('', '$', 'T', 'echo', '{}', '{"v":1,"ttl":1}', '{"status":1}')
        .map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((json) => Buffer.from(json)),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 14 }), fc.integer({ min: 0, max: 1 }), (frames, from) => {
        const classic = readClassic(frames, from);
        if (classic instanceof MalformedFrames) assert.match(classic.message, /\w/);
        else {
          toRequest(classic);
          toReply(classic);
        }
        for (const bytes of frames) {
          decodeRequestMetadata(bytes);
          decodeReplyMetadata(bytes);
          readHello(controlData(bytes));
          isToken(bytes);
        }
        isControl(frames, from);
      }),
    );
  });
});
