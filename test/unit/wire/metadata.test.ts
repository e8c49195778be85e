import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_METADATA, MAX_REQUEST_ID } from '../../../src/wire/limits.ts';
import {
  decodeReplyMetadata,
  decodeRequestMetadata,
  encodeReplyMetadata,
  encodeRequestMetadata,
  isJsonType,
  isRequestId,
  isShortText,
} from '../../../src/wire/metadata.ts';
import { makeReply, makeRequest } from './messages.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('request metadata', () => {
  it('request metadata: contains only values that differ from the default', () => {
    assert.equal(String(encodeRequestMetadata(makeRequest({ timeLeft: 0 }), false)), '{"v":1}');
    const all = makeRequest({
      timeLeft: 12.3,
      idempotent: true,
      requestId: 'id',
      extras: json({ key: 'k' }),
    });
    assert.deepEqual(JSON.parse(String(encodeRequestMetadata(all, true))), {
      v: 1,
      id: 'id',
      ttl: 13,
      idem: true,
      pack: 1,
      stream: 1,
      ext: { key: 'k' },
    });
  });

  it('request metadata: ignores unknown members', () => {
    assert.equal(decodeRequestMetadata(json({ v: 7, news: [1], ttl: 5 }))?.timeLeft, 5);
  });

  for (const [what, value] of [
    ['a list', []],
    ['null', null],
    ['a negative time', { ttl: -1 }],
    ['a time that is not a number', { ttl: '5' }],
    ['an id with spaces', { id: 'a b' }],
    ['an id too long', { id: 'x'.repeat(MAX_REQUEST_ID + 1) }],
    ['idempotent as a number', { idem: 1 }],
    ['extras that are not an object', { ext: 'x' }],
    ['extras too large', { ext: { x: 'x'.repeat(MAX_METADATA) } }],
  ] as const) {
    it(`request metadata: is broken when it is or has ${what}`, () =>
      assert.equal(decodeRequestMetadata(json(value)), undefined));
  }

  it('request metadata: is broken when it is not JSON or is too large', () => {
    assert.equal(decodeRequestMetadata(Buffer.from('{"v":1')), undefined);
    assert.equal(decodeRequestMetadata(json({ junk: 'x'.repeat(MAX_METADATA * 2) })), undefined);
  });

  it('request metadata: limits the time left', () => {
    assert.equal(decodeRequestMetadata(Buffer.from('{"ttl":1e999}'))?.timeLeft, 0xffffffff);
  });
});

describe('reply metadata', () => {
  it('reply metadata: contains only values that differ from the default', () => {
    assert.equal(String(encodeReplyMetadata(makeReply(), false)), '{"v":1,"status":200}');
  });

  for (const [what, value] of [
    ['a status below 100', { status: 99 }],
    ['a status above 599', { status: 600 }],
    ['a status that is not an integer', { status: 200.5 }],
    ['a code with a line feed', { code: 'A\nB' }],
    ['a media type that is not ASCII', { type: 'text/plaïn' }],
    ['dispatched as a text', { dispatched: 'yes' }],
    ['more as a number', { more: 1 }],
  ] as const) {
    it(`reply metadata: is broken when it has ${what}`, () =>
      assert.equal(decodeReplyMetadata(json(value)), undefined));
  }
});

describe('texts in metadata', () => {
  it('texts in metadata: request ids are printable ASCII without spaces', () => {
    assert.ok(isRequestId('0af7651916cd43dd8448eb211c80319c'));
    for (const id of ['a b', 'ä', 'a\u0000', 'x'.repeat(256)]) assert.ok(!isRequestId(id), id);
  });

  it('texts in metadata: codes and media types are printable ASCII', () => {
    assert.ok(isShortText('text/plain; charset=utf-8'));
    for (const value of ['\r\n', 'ü', 'x'.repeat(256), 5]) assert.ok(!isShortText(value), String(value));
  });

  it('texts in metadata: media types say whether a body is JSON', () => {
    for (const type of ['', 'application/json', 'application/problem+json; charset=utf-8', 'text/JSON']) {
      assert.ok(isJsonType(type), type);
    }
    for (const type of ['text/plain', 'application/jsonp', 'application/x-ndjson+gzip'])
      assert.ok(!isJsonType(type), type);
  });
});
