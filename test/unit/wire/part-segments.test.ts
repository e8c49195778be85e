import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  encodePartData,
  encodePartEnd,
  encodePartHead,
  type PartHead,
  type PartSegment,
  PartSegmentReader,
} from '../../../src/wire/part-segments.ts';
import fc from '../../helpers/property.ts';

interface Part {
  readonly head: PartHead;
  readonly data: Buffer[];
}

const part: fc.Arbitrary<Part> = fc.record(
  {
    head: fc.oneof(
      fc.record({ name: fc.string(), contentType: fc.string() }, { noNullPrototype: true }),
      fc.record(
        { name: fc.string(), filename: fc.string({ unit: 'grapheme' }), contentType: fc.string() },
        { noNullPrototype: true },
      ),
    ),
    data: fc.array(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
  },
  { noNullPrototype: true },
);

function encode(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ head, data }) => [encodePartHead(head), ...data.map(encodePartData), encodePartEnd()]),
  );
}

/** Cuts bytes into chunks at the given shares of their length. */
function cut(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const ends = [...shares.map((share) => Math.floor(share * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  let start = 0;
  return ends.map((end) => {
    const chunk = bytes.subarray(start, end);
    start = end;
    return chunk;
  });
}

/** Reads chunks; slices of data that follow each other are joined. */
function readAll(chunks: readonly Buffer[]): {
  parts: { head: PartHead; body: string }[];
  complete: boolean;
} {
  const reader = new PartSegmentReader();
  const parts: { head: PartHead; body: string }[] = [];
  for (const segment of chunks.flatMap((chunk): PartSegment[] => reader.read(chunk))) {
    if (segment.kind === 'head') parts.push({ head: segment.head, body: '' });
    const last = parts.at(-1);
    if (segment.kind === 'data' && last !== undefined) last.body += segment.bytes.toString('hex');
  }
  return { parts, complete: reader.complete };
}

describe('part segments', () => {
  it('part segments: are read as written, wherever the chunks end', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(share, { maxLength: 20 }), (parts, shares) => {
        const expected = parts.map(({ head, data }) => ({ head, body: Buffer.concat(data).toString('hex') }));
        assert.deepEqual(readAll(cut(encode(parts), shares)), { parts: expected, complete: true });
      }),
    );
  });

  it('part segments: may be read byte by byte', () => {
    const head = { name: 'photo', filename: 'ä.png', contentType: 'image/png' };
    const bytes = encode([{ head, data: [Buffer.from('ab'), Buffer.from('c')] }]);
    const { parts, complete } = readAll(Array.from(bytes, (byte) => Buffer.from([byte])));
    assert.deepEqual([parts, complete], [[{ head, body: '616263' }], true]);
  });

  it('part segments: are incomplete while a part is open', () => {
    const bytes = encode([{ head: { name: 'a', contentType: 'text/plain' }, data: [Buffer.from('abc')] }]);
    for (let length = 1; length < bytes.length; length++) {
      assert.equal(readAll([bytes.subarray(0, length)]).complete, false, `after ${length} bytes`);
    }
  });

  it('part segments: wrong bytes are rejected', () => {
    const head = encodePartHead({ name: 'a', contentType: 'text/plain' });
    const badHead = Buffer.from(head);
    badHead[5] = 0x5b;
    const longHead = Buffer.from([1, 0xff, 0xff, 0xff, 0xff]);
    for (const bytes of [
      Buffer.from([9]),
      encodePartEnd(),
      encodePartData(Buffer.from('x')),
      Buffer.concat([head, head]),
      badHead,
      longHead,
    ]) {
      assert.throws(() => new PartSegmentReader().read(bytes), /segment|head of a part/);
    }
  });

  it('part segments: random bytes end in an error or in segments, and hold bounded memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const reader = new PartSegmentReader();
        try {
          const segments = reader.read(Buffer.from(bytes));
          assert.ok(segments.length <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }),
    );
  });
});
