/** Chunks of request bodies: within the window, in order, and with exactly one end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpenStreams } from '../../../../src/gateway/context/open-streams.ts';
import { ChunkSender } from '../../../../src/gateway/streams/chunk-sender.ts';
import { PART_END, partData, partHead } from '../../../../src/gateway/streams/segments.ts';
import { PartSegmentReader } from '../../../../src/wire/part-segments.ts';
import fc from '../../../helpers/property.ts';

const BOUNDS = { streams: 3, streamsPerCaller: 2, interval: 1000 };

function newSender() {
  const sent: { body: Buffer; end: boolean }[] = [];
  let asked = 0;
  const sender = new ChunkSender({
    totals: new OpenStreams(BOUNDS).totals,
    send: (body, end) => sent.push({ body, end }),
    onEmpty: () => {
      asked += 1;
    },
  });
  return { sender, sent, asked: () => asked };
}

describe('ChunkSender', () => {
  it('sends nothing before the first grant, not even the end', () => {
    const { sender, sent } = newSender();
    sender.end();
    assert.equal(sent.length, 0);
    sender.grant(10);
    assert.deepEqual(sent, [{ body: Buffer.alloc(0), end: true }]);
    sender.grant(10);
    assert.equal(sent.length, 1);
  });

  it('marks the last bytes as the end if they still wait', () => {
    const { sender, sent, asked } = newSender();
    assert.equal(sender.push(Buffer.from('abcdef')), false);
    sender.end();
    sender.grant(4);
    sender.grant(4);
    assert.deepEqual(
      sent.map(({ body, end }) => [body.toString(), end]),
      [
        ['abcd', false],
        ['ef', true],
      ],
    );
    assert.equal(asked(), 0);
  });

  it('any order of bytes and grants: all bytes in order, never more than granted', () => {
    const step = fc.oneof(
      fc.record({ push: fc.uint8Array({ maxLength: 200 }) }),
      fc.record({ grant: fc.integer({ min: 1, max: 150 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { sender, sent } = newSender();
        const pushed: Buffer[] = [];
        let granted = 0;
        const check = (): void => {
          assert.ok(sent.reduce((sum, { body }) => sum + body.length, 0) <= granted);
        };
        for (const each of steps) {
          if ('push' in each) {
            pushed.push(Buffer.from(each.push));
            sender.push(Buffer.from(each.push));
          } else {
            granted += each.grant;
            sender.grant(each.grant);
          }
          check();
        }
        sender.end();
        granted += 10_000;
        sender.grant(10_000);
        assert.deepEqual(Buffer.concat(sent.map(({ body }) => body)), Buffer.concat(pushed));
        assert.deepEqual(
          sent.map(({ end }) => end),
          sent.map((_, index) => index === sent.length - 1),
        );
      }),
    );
  });
});

describe('segments', () => {
  it('are those that workers read', () => {
    const head = { name: 'ä', filename: 'b.png', contentType: 'image/png' };
    const bytes = Buffer.concat([...partHead(head), ...partData(Buffer.from('abc')), PART_END]);
    const reader = new PartSegmentReader();
    assert.deepEqual(reader.read(bytes), [
      { kind: 'head', head },
      { kind: 'data', bytes: Buffer.from('abc') },
      { kind: 'end' },
    ]);
    assert.ok(reader.complete);
  });
});

describe('OpenStreams', () => {
  const owner = { check: () => undefined, drain: () => undefined };

  it('limits the streams of a caller and of the gateway', () => {
    const streams = new OpenStreams(BOUNDS);
    const first = streams.add(owner, 'a');
    streams.add(owner, 'a');
    assert.equal(streams.add(owner, 'a'), 'The caller already has 2 streams in flight.');
    streams.add(owner, 'b');
    assert.equal(streams.add(owner, 'c'), 'The gateway already has 3 streams in flight.');
    assert.ok(typeof first !== 'string');
    streams.remove(first);
    streams.remove(first);
    assert.equal(streams.length, 2);
    const again = streams.add(owner, 'a');
    assert.notEqual(typeof again, 'string');
    assert.equal(typeof streams.add(owner, 'b'), 'string');
  });
});
