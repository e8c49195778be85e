/** docs/protocol.md: its examples in bytes and its limits are those of the code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_BYTES } from '../../src/core/messages/message.ts';
import { MAX_CONTROL_BYTES, MAX_EVENTS } from '../../src/wire/control.ts';
import { MAX_CLASSIC_DEPTH, MAX_CLASSIC_DIGITS } from '../../src/wire/json-check.ts';
import * as limits from '../../src/wire/limits.ts';
import { PackedBatch } from '../../src/wire/packed.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { codeBlocks, readPage } from './pages.ts';

const PAGE = 'docs/protocol.md';

/** The bytes that a block shows, without the words beside them. */
function bytesIn(text: string): string {
  return text.replace(/ {2,}[^0-9\s][^\n]*|^[A-Z].*$/gm, '').replace(/\s/g, '');
}

function blockWith(start: string): string {
  const block = codeBlocks(PAGE).find(({ text }) => text.startsWith(start));
  assert.ok(block, `no block starts with ${start}`);
  return bytesIn(block.text);
}

test('the token and the packed request are as shown', () => {
  assert.equal(blockWith('54 '), encodeToken(1, 7).toString('hex'));
  const batch = new PackedBatch();
  const body = Buffer.from('{"a":1}');
  const message = { eventName: 'sum.get', body, timeLeft: 5000, idempotent: true, requestId: 'r1' };
  batch.addRequest(1, 7, { ...message, extras: NO_BYTES });
  assert.equal(blockWith('00 5a'), batch.take()[0]?.toString('hex'));
});

test('every limit is on the page', () => {
  const page = readPage(PAGE);
  const all = { ...limits, MAX_CONTROL_BYTES, MAX_EVENTS, MAX_CLASSIC_DEPTH, MAX_CLASSIC_DIGITS };
  for (const [name, value] of Object.entries(all)) {
    assert.match(page, new RegExp(`\\b${value.toLocaleString('en')}\\b`), name);
  }
});
