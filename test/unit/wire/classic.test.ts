import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failure, NO_BYTES, type ReplyMessage } from '../../../src/core/messages/message.ts';
import {
  type ClassicFrames,
  MalformedFrames,
  readClassic,
  readEventName,
  replyFrames,
  requestFrames,
  toReply,
  toRequest,
} from '../../../src/wire/classic.ts';
import { MAX_ENVELOPE, MAX_EVENT_NAME } from '../../../src/wire/limits.ts';
import { makeReply, makeRequest } from './messages.ts';

const frames = (...texts: (string | Buffer)[]): Buffer[] => texts.map((text) => Buffer.from(text));

function read(...texts: (string | Buffer)[]): ClassicFrames {
  const classic = readClassic(frames(...texts), 0);
  assert.ok(!(classic instanceof MalformedFrames), 'the frames are a message');
  return classic;
}

function refused(...texts: (string | Buffer)[]): MalformedFrames {
  const classic = readClassic(frames(...texts), 0);
  assert.ok(classic instanceof MalformedFrames, 'the frames are not a message');
  return classic;
}

const text = (list: readonly Buffer[]): string[] => list.map(String);

describe('classic messages', () => {
  it('classic message: has a name and data after a delimiter', () => {
    const { envelope, delimited, eventName, body, metadata } = read('', 'echo', '{}');
    assert.deepEqual(
      [text(envelope), delimited, eventName, String(body), metadata],
      [[], true, 'echo', '{}', undefined],
    );
  });

  it('classic message: keeps the frames before the delimiter and the frame after the data', () => {
    const { envelope, metadata } = read('a', 'b', '', 'echo', '{}', '{"v":1}', 'ignored');
    assert.deepEqual([text(envelope), String(metadata)], [['a', 'b'], '{"v":1}']);
  });

  it('classic message: has no delimiter when a DEALER sends only name and data', () => {
    const { delimited, eventName } = read('echo', '{}');
    assert.deepEqual([delimited, eventName], [false, 'echo']);
  });

  it('classic message: is read from a given frame', () => {
    const classic = readClassic(frames('identity', '', 'echo', '{}'), 1);
    assert.ok(!(classic instanceof MalformedFrames));
    assert.deepEqual([text(classic.envelope), classic.eventName], [[], 'echo']);
  });

  for (const [what, list, cause, envelope] of [
    ['no data', ['', 'echo'], 'too-few-frames', []],
    ['no data and no delimiter', ['echo'], 'too-few-frames', undefined],
    ['an empty name', ['', '', '{}'], 'bad-event-name', []],
    ['a long name', ['a', '', 'n'.repeat(MAX_EVENT_NAME + 1), '{}'], 'bad-event-name', ['a']],
    [
      'too many frames before the delimiter',
      [...Array.from({ length: 20 }, () => 'x'), '', 'echo', '{}'],
      'too-many-frames',
      undefined,
    ],
  ] as const) {
    it(`classic message: is rejected with ${what}`, () => {
      const malformed = refused(...list);
      assert.equal(malformed.cause, cause);
      assert.deepEqual(malformed.envelope?.map(String), envelope);
      assert.match(malformed.message, /\w/);
    });
  }

  it('classic message: accepts the maximum number of frames before the delimiter', () => {
    const many = Array.from({ length: MAX_ENVELOPE }, () => 'x');
    assert.equal(read(...many, '', 'echo', '{}').envelope.length, MAX_ENVELOPE);
  });

  it('classic message: accepts any UTF-8 event name', () => {
    assert.equal(readEventName(Buffer.from('größe.✓')), 'größe.✓');
    assert.equal(readEventName(Buffer.from([0x65, 0xff])), undefined);
  });
});

describe('requests in classic frames', () => {
  it('classic request: carries all its properties in the metadata', () => {
    const message = makeRequest({ timeLeft: 1500, idempotent: true, requestId: 'r-1' });
    const { message: back, native, broken, packs } = toRequest(read('', ...requestFrames(message, true)));
    assert.deepEqual(back, message);
    assert.deepEqual({ native, broken, packs }, { native: true, broken: false, packs: true });
  });

  it('classic request: has no deadline and no id and is not idempotent without metadata', () => {
    const { message, native } = toRequest(read('', 'echo', '1'));
    assert.deepEqual(
      [message.timeLeft, message.idempotent, message.requestId, native],
      [0, false, '', false],
    );
  });

  it('classic request: broken metadata is ignored', () => {
    const { message, native, broken } = toRequest(read('', 'echo', '1', '{"v":'));
    assert.deepEqual([message.timeLeft, native, broken], [0, false, true]);
  });
});

describe('replies in classic frames', () => {
  const back = (message: ReplyMessage, kind: Parameters<typeof replyFrames>[2]) =>
    toReply(read('', ...replyFrames('echo', message, kind)));

  it('classic reply: carries all its properties and the support for packed messages in the metadata', () => {
    const message = failure('TIMEOUT', 'too slow');
    assert.deepEqual(back(message, 'packs'), {
      message,
      native: true,
      broken: false,
      packs: true,
      streams: true,
      badJson: false,
    });
    assert.equal(back(message, 'plain').packs, false);
  });

  it('classic reply: has no metadata for a classic peer', () => {
    assert.equal(replyFrames('echo', makeReply(), 'none').length, 2);
  });

  it('classic reply: a failure has metadata, also for a classic peer', () => {
    const own = makeReply({ status: 404, code: 'NOT_FOUND', body: Buffer.from('{}') });
    for (const message of [failure('SHUTTING_DOWN', 'bye'), own]) {
      assert.deepEqual(back(message, 'none'), {
        message,
        native: true,
        broken: false,
        packs: false,
        streams: false,
        badJson: false,
      });
    }
    assert.equal(back(makeReply({ status: 409, body: Buffer.from('1') }), 'none').message.status, 409);
  });

  it('classic reply: event data with a failure makes it a failure, with or without metadata', () => {
    const { message } = toReply(
      read('', 'echo', ' { "error" : {"code": "NO_HANDLER", "message": "no such event"}}'),
    );
    assert.deepEqual([message.status, message.code, message.dispatched], [501, 'NO_HANDLER', false]);
    const { message: busy } = toReply(read('', 'echo', failure('BUSY', 'full', { dispatched: true }).body));
    assert.deepEqual([busy.status, busy.code, busy.dispatched], [503, 'BUSY', true]);
  });

  it('classic reply: data that only resembles a failure is a success', () => {
    const others = [
      '{"error": "unknown event"}',
      '{"error": {"code": "NOT_FOUND", "message": "a code of its own"}}',
      '{"error": {"code": "NO_HANDLER"}}',
      '{"error": {"code": "NO_HANDLER", "message": "x"}, "more": 1}',
      '{"error": {"code": "toString", "message": "x"}}',
      `{"error": {"code": "NO_HANDLER", "message": "${'x'.repeat(70_000)}"}}`,
    ];
    for (const body of others)
      assert.equal(toReply(read('', 'echo', body)).message.code, '', body.slice(0, 80));
  });

  it('classic reply: broken metadata makes it a failure, and other trailing frames are ignored', () => {
    for (const broken of ['{"status":"404"}', ' {"status":', `{"ext":"${'x'.repeat(200_000)}"}`]) {
      const { message, broken: counted } = toReply(read('', 'echo', '1', broken));
      assert.deepEqual([message.code, counted], ['BAD_REPLY', true], broken.slice(0, 80));
    }
    for (const other of ['', 'extra', '[1]', '"x"']) {
      assert.equal(toReply(read('', 'echo', '1', other)).message.code, '', other);
    }
  });

  for (const body of ['NaN', '[1, Infinity]', '{"a"', '', Buffer.from([0x22, 0xff, 0x22])]) {
    it(`classic reply: the data ${JSON.stringify(String(body))} without metadata is BAD_REPLY`, () => {
      const { message, badJson } = toReply(read('', 'echo', body));
      assert.deepEqual([message.status, message.code, badJson], [502, 'BAD_REPLY', true]);
    });
  }

  it('classic reply: is a success without metadata', () => {
    const { message } = toReply(read('', 'echo', '"x"'));
    assert.deepEqual([message.status, message.code, message.dispatched], [200, '', true]);
  });

  it('classic reply: converts any body to JSON for a classic peer', () => {
    const plain = (contentType: string, body: string | Buffer) =>
      String(replyFrames('echo', makeReply({ contentType, body: Buffer.from(body) }), 'none')[1]);
    assert.equal(plain('', '{"a":1}'), '{"a":1}');
    assert.equal(plain('application/json; charset=utf-8', '{"a":1}'), '{"a":1}');
    assert.equal(plain('application/problem+json', '{"a":1}'), '{"a":1}');
    assert.equal(plain('text/plain', 'grüße "x"'), '"grüße \\"x\\""');
    assert.equal(plain('image/png', Buffer.from([0xff, 0x00])), '"/wA="');
  });

  it('classic reply: tolerates extras that are not JSON', () => {
    const { message, broken } = back(
      makeReply({ code: 'X', status: 418, extras: Buffer.from('{"broken') }),
      'packs',
    );
    assert.deepEqual([message.code, message.status, message.extras, broken], ['X', 418, NO_BYTES, false]);
  });
});
