/** The protocol pages show the bytes and the limits of the code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_BYTES } from '../../src/core/messages/message.ts';
import { MAX_CONTROL_BYTES, MAX_EVENTS } from '../../src/wire/control.ts';
import { MAX_CLASSIC_DEPTH, MAX_CLASSIC_DIGITS } from '../../src/wire/json-check.ts';
import * as limits from '../../src/wire/limits.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { encodeToken } from '../../src/wire/token.ts';
import { codeBlocks, PAGES, readPage } from './pages.ts';

const BLOCKS = PAGES.filter((page) => page.startsWith('docs/protocol/')).flatMap((page) => codeBlocks(page));

/** Returns the bytes that a block shows, without the annotations. */
function bytesIn(text: string): string {
  return text.replace(/ {2,}[^0-9\s][^\n]*|^[A-Z].*$/gm, '').replace(/\s/g, '');
}

function blockWith(start: string): string {
  const block = BLOCKS.find(({ text }) => text.startsWith(start));
  assert.ok(block, `no block starts with ${start}`);
  return bytesIn(block.text);
}

test('docs/protocol: shows the bytes of a token and of a packed request', () => {
  assert.equal(blockWith('54 '), encodeToken(1, 7).toString('hex'));
  const batch = new PackedBatch();
  const body = Buffer.from('{"a":1}');
  const message = { eventName: 'sum.get', body, timeLeft: 5000, idempotent: true, requestId: 'r1' };
  batch.addRequest(1, 7, { ...message, extras: NO_BYTES });
  assert.equal(blockWith('00 5a'), batch.take()[0]?.toString('hex'));
});

test('docs/protocol: states every limit', () => {
  const page = readPage('docs/protocol/limits.md') + readPage('docs/protocol/control-messages.md');
  const all = { ...limits, MAX_CONTROL_BYTES, MAX_EVENTS, MAX_CLASSIC_DEPTH, MAX_CLASSIC_DIGITS };
  for (const [name, value] of Object.entries(all)) {
    assert.match(page, new RegExp(`\\b${value.toLocaleString('en')}\\b`), name);
  }
});
