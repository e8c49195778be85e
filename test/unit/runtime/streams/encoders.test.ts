import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentTypeOf, encoderFor } from '../../../../src/runtime/streams/encoders.ts';
import { type EventFields, encodeEvent, event } from '../../../../src/runtime/streams/event.ts';
import fc from '../../../helpers/property.ts';

const EVENTS = 'text/event-stream';
const LINES = 'application/x-ndjson';

/** The events that a client dispatches (WHATWG HTML, section 9.2.6), and its reconnection time. */
function parseEvents(text: string) {
  const events: { event: string; data: string; id: string }[] = [];
  let [name, data, id, retry] = ['', '', '', undefined as number | undefined];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data !== '') events.push({ event: name || 'message', data: data.slice(0, -1), id });
      [name, data] = ['', ''];
      continue;
    }
    if (line.startsWith(':')) continue;
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') name = value;
    else if (field === 'data') data += `${value}\n`;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) retry = Number(value);
  }
  return { events, retry };
}

describe('server-sent events', () => {
  it('event: has its fields in the order of the standard', () => {
    const fields = { comment: 'hello\nyou', event: 'tick', id: 7, retry: 10, data: { a: 'ä' } };
    assert.equal(
      encodeEvent(event(fields)),
      ': hello\n: you\nevent: tick\nid: 7\nretry: 10\ndata: {"a":"ä"}\n\n',
    );
  });

  it('event: text data is sent unchanged, each of its lines as a field', () => {
    assert.equal(
      encodeEvent(event({ data: 'a\r\nb\rc\n\n d' })),
      'data: a\ndata: b\ndata: c\ndata: \ndata:  d\n\n',
    );
    assert.equal(encodeEvent(event({ data: '' })), 'data: \n\n');
    assert.equal(encodeEvent(event({ data: null })), 'data: null\n\n');
    assert.equal(encodeEvent(event({ comment: 'still here' })), ': still here\n\n');
  });

  it('event: rejects fields that would break the format', () => {
    const wrong = [{ event: 'a\nb' }, { event: 'a\rb' }, { id: 'a\0' }, { id: 'a\n' }, { id: NaN }];
    const others = [{ retry: 1.5 }, { retry: -1 }, { retry: 'soon' }, { comment: 7 }, { id: {} }];
    for (const fields of [...wrong, ...others]) {
      assert.throws(() => event(fields as EventFields), { code: 'INVALID_ARGUMENT' }, JSON.stringify(fields));
    }
  });

  it('event: a client reads back what was encoded, with any characters', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n\0]/g, ''));
    const data = fc.string({ unit: 'binary' }).map((text) => text.replace(/\r\n?/g, '\n'));
    const fields = fc.record({ data, event: line, id: line, retry: fc.nat(), comment: data });
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 5 }), (all) => {
        const { events, retry } = parseEvents(all.map((each) => encodeEvent(event(each))).join(''));
        const expected = all.map(({ data: text, event: name, id }) => ({
          event: name || 'message',
          data: text,
          id,
        }));
        assert.deepEqual(events, expected);
        assert.equal(retry, all.at(-1)?.retry);
      }),
    );
  });
});

describe('encoders', () => {
  it('encoder: the first item decides the media type', () => {
    const items = [
      event({ data: 1 }),
      'text',
      Buffer.from('a'),
      new Uint8Array(2),
      new ArrayBuffer(2),
      { a: 1 },
      null,
      7,
    ];
    assert.deepEqual(items.map(contentTypeOf), [
      EVENTS,
      'text/plain; charset=utf-8',
      ...Array.from({ length: 3 }, () => 'application/octet-stream'),
      ...Array.from({ length: 3 }, () => LINES),
    ]);
    assert.equal(contentTypeOf(undefined), LINES);
  });

  it('encoder: lines of JSON have one line each, whatever is in them', () => {
    const encode = encoderFor('application/x-ndjson; charset=utf-8', undefined);
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const text = values.map((value) => String(encode(value))).join('');
        const lines = text.split('\n');
        assert.equal(lines.pop(), '');
        assert.deepEqual(
          lines.map((line) => JSON.parse(line) as unknown),
          JSON.parse(JSON.stringify(values)),
        );
      }),
    );
    assert.equal(encode('text'), '"text"\n');
    assert.deepEqual(encode(Buffer.from('{"ready":true}\n')), Buffer.from('{"ready":true}\n'));
    assert.throws(() => encode(event({ data: 1 })), /needs the content type text\/event-stream/);
  });

  it('encoder: a JSON text sequence has a separator before each item (RFC 7464)', () => {
    assert.equal(encoderFor('application/json-seq', undefined)({ a: 1 }), '\u001e{"a":1}\n');
    assert.equal(encoderFor('application/geo+json-seq', undefined)('b'), '\u001e"b"\n');
  });

  it('encoder: values in an event stream become the data of events', () => {
    const encode = encoderFor(EVENTS, undefined);
    assert.deepEqual(
      [encode({ a: 1 }), encode('text'), encode(event({ id: 1 }))],
      ['data: {"a":1}\n\n', 'data: text\n\n', 'id: 1\n\n'],
    );
  });

  it('encoder: other types take strings and bytes, also as views of a larger buffer', () => {
    const encode = encoderFor('image/png', undefined);
    const bytes = new Uint8Array([0, 1, 2, 3]);
    assert.deepEqual(encode(bytes.subarray(1, 3)), Buffer.from([1, 2]));
    assert.deepEqual(encode(new DataView(bytes.buffer, 2)), Buffer.from([2, 3]));
    assert.deepEqual(encode(new Uint16Array([0x0201])), Buffer.from([1, 2]));
    assert.deepEqual([encode('text'), encode(Buffer.alloc(2))], ['text', Buffer.alloc(2)]);
    for (const item of [{ a: 1 }, 7, null, event({ data: 1 })]) {
      assert.throws(() => encode(item), /a stream of image\/png takes strings and bytes, got/);
    }
  });

  it('encoder: checks items and the data of events against the contract', () => {
    const check = (item: unknown): string | undefined =>
      typeof item === 'number' ? undefined : 'not a number';
    for (const [type, wrap] of [
      [LINES, (item: unknown) => item],
      [EVENTS, (data: unknown) => event({ data })],
    ] as const) {
      const encode = encoderFor(type, check);
      assert.equal(typeof encode(wrap(7)), 'string');
      assert.throws(() => encode(wrap('seven')), /an item of the stream breaks the contract: not a number/);
    }
    assert.equal(encoderFor(EVENTS, check)(event({ comment: 'no data' })), ': no data\n\n');
  });
});
