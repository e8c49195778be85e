/** Events and lines in streams of bytes: every way to split the bytes into chunks gives the same items. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  EventBoundary,
  EventSplitter,
  type SplitEvent,
} from '../../../../src/gateway/streams/event-splitter.ts';
import { LineSplitter } from '../../../../src/gateway/streams/line-splitter.ts';
import fc from '../../../helpers/property.ts';

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

interface Read {
  readonly events: SplitEvent[];
  readonly resumeId: string | undefined;
  /** Length of all complete events. */
  readonly complete: number;
}

function readEvents(chunks: readonly Buffer[]): Read {
  const events: SplitEvent[] = [];
  const splitter = new EventSplitter('', (event) => events.push(event));
  let complete = 0;
  let total = 0;
  for (const chunk of chunks) {
    const end = splitter.push(chunk);
    if (end > 0) complete = total + end;
    total += chunk.length;
  }
  return { events, resumeId: splitter.resumeId, complete };
}

describe('EventSplitter', () => {
  const cases: [text: string, events: SplitEvent[], resumeId: string | undefined][] = [
    ['data: a\n\n', [{ event: '', data: 'a' }], undefined],
    ['id: 7\ndata:b\n\n', [{ event: '', data: 'b' }], '7'],
    ['\ufeffdata: x\r\ndata: y\r\n\r\n', [{ event: '', data: 'x\ny' }], undefined],
    ['event: e\rid: ä\rdata: z\r\r', [{ event: 'e', data: 'z' }], 'ä'],
    [': comment\n\nretry: 5\n\n', [], ''],
    ['id: 1\ndata: a\n\n: comment\n\n', [{ event: '', data: 'a' }], '1'],
    ['id: 1\n\nid: 2\ndata: half', [], '1'],
    ['id: a\0b\ndata: x\n\n', [{ event: '', data: 'x' }], undefined],
    ['data\n\n', [{ event: '', data: '' }], undefined],
  ];
  for (const [text, events, resumeId] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const read = readEvents([Buffer.from(text)]);
      assert.deepEqual(read.events, events);
      assert.equal(read.resumeId, resumeId);
    });
  }

  it('chunks may end anywhere', () => {
    const line = fc.constantFrom('data: añ€😀', 'data', ': x', 'id: 1', 'id: 2', 'event: e', '', '', 'other');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, end), { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.flat().join(''));
          const whole = readEvents([bytes]);
          const parts = readEvents(split(bytes, cuts));
          assert.deepEqual(parts.events, whole.events);
          assert.equal(parts.resumeId, whole.resumeId);
        },
      ),
    );
  });

  it('the complete part ends with an event, and the rest has none', () => {
    const bytes = Buffer.from('id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nda');
    assert.equal(readEvents([bytes]).complete, bytes.indexOf('id: 3'));
  });
});

describe('EventBoundary', () => {
  it('follows the ends of lines and events', () => {
    const boundary = new EventBoundary();
    assert.ok(boundary.isBetweenEvents);
    const seen = ['data: a', '\n', '\n', 'x\r', '\n', '\r\n', 'data: b\n\n'].map((text) => {
      boundary.push(Buffer.from(text));
      return [boundary.isBetweenLines, boundary.isBetweenEvents];
    });
    assert.deepEqual(seen, [
      [false, false],
      [true, false],
      [true, true],
      [false, false],
      [true, false],
      [true, true],
      [true, true],
    ]);
  });
});

describe('LineSplitter', () => {
  it('chunks may end anywhere, also within a character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('{"a":"ä€😀"}', '1', '[]'), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.boolean(),
        (lines, cuts, ended) => {
          const bytes = Buffer.from(lines.join('\n') + (ended ? '\n' : ''));
          const read: string[] = [];
          const splitter = new LineSplitter((line) => read.push(line.toString()));
          for (const chunk of split(bytes, cuts)) splitter.push(chunk);
          splitter.end();
          assert.deepEqual(read, lines);
        },
      ),
    );
  });
});
