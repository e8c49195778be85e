import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../src/core/messages/errors.ts';
import type { OutgoingRequest } from '../../../src/core/messages/message.ts';
import { toMessage } from '../../../src/wire/outgoing.ts';

const outgoing = (members: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
  eventName: 'echo',
  body: Buffer.from('1'),
  timeout: 5000,
  idempotent: true,
  ...members,
});

describe('toMessage', () => {
  it('toMessage: copies the properties of the request', () => {
    const message = toMessage(outgoing({ requestId: 'r', extras: { key: 'k' } }), 10);
    assert.deepEqual(
      { ...message, body: String(message.body), extras: String(message.extras) },
      {
        eventName: 'echo',
        body: '1',
        timeLeft: 5000,
        idempotent: true,
        requestId: 'r',
        extras: '{"key":"k"}',
      },
    );
  });

  it('toMessage: accepts an event name of 1,024 bytes', () => {
    assert.equal(toMessage(outgoing({ eventName: 'ü'.repeat(512) }), 10).eventName.length, 512);
  });

  for (const [what, members, message] of [
    ['an empty name', { eventName: '' }, /eventName must be 1 to 1024 bytes, got 0/],
    ['a name too long', { eventName: 'ü'.repeat(513) }, /eventName .* got 1026/],
    ['a request id with a space', { requestId: 'a b' }, /requestId/],
    ['a request id too long', { requestId: 'x'.repeat(256) }, /requestId/],
    [
      'a body over the limit',
      { body: Buffer.alloc(11) },
      /eventData has 11 bytes, more than maxMessageSize 10/,
    ],
    ['extras over the limit', { extras: { key: 'x'.repeat(65_536) } }, /extras have \d+ bytes/],
  ] as const) {
    it(`toMessage: rejects a request with ${what}`, () => {
      assert.throws(() => toMessage(outgoing(members), 10), { constructor: ZeroMQConfigError, message });
    });
  }
});
