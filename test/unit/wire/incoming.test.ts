import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQClientError, ZeroMQTimeoutError } from '../../../src/core/messages/errors.ts';
import { failure } from '../../../src/core/messages/message.ts';
import { readReply } from '../../../src/wire/incoming.ts';
import { makeReply } from './messages.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('readReply', () => {
  it('readReply: returns event data, status and headers', () => {
    const extras = json({ headers: { location: '/x' }, timing: { queue: 1 } });
    assert.deepEqual(readReply('e', makeReply({ status: 201, extras })), {
      eventName: 'e',
      eventData: { b: 2 },
      status: 201,
      headers: { location: '/x' },
    });
  });

  it('readReply: returns bytes if the content type is not JSON', () => {
    const body = Buffer.from('plain');
    assert.equal(readReply('e', makeReply({ contentType: 'text/plain', body })).eventData, body);
    assert.deepEqual(readReply('e', makeReply({ contentType: 'application/json' })).eventData, { b: 2 });
  });

  for (const extras of ['{"broken', 'null', '5', '{"headers":5}', '{"headers":null}', '{}']) {
    it(`readReply: returns no headers if the extras are ${extras}`, () => {
      assert.deepEqual(readReply('e', makeReply({ extras: Buffer.from(extras) })).headers, {});
    });
  }

  it('readReply: throws BAD_REPLY if the body is not valid JSON', () => {
    const reply = makeReply({ body: Buffer.from('{"broken') });
    assert.throws(() => readReply('e', reply), {
      constructor: ZeroMQClientError,
      code: 'BAD_REPLY',
      dispatched: true,
    });
  });

  it('readReply: throws a failure as the error class of its code', () => {
    assert.throws(() => readReply('e', failure('TIMEOUT', 'too slow')), {
      constructor: ZeroMQTimeoutError,
      code: 'TIMEOUT',
      message: 'too slow',
      dispatched: true,
      status: 504,
    });
  });

  it("readReply: keeps code, status and details of a worker's error", () => {
    const body = json({ error: { code: 'X', message: 'no', dispatched: true, details: { field: 'a' } } });
    assert.throws(() => readReply('e', makeReply({ status: 409, code: 'X', body })), {
      constructor: ZeroMQClientError,
      code: 'X',
      status: 409,
      details: { field: 'a' },
      retryable: false,
    });
  });

  for (const body of ['', 'null', '"x"', '{"error":null}', '{"error":5}', '{"error":{"message":5}}']) {
    it(`readReply: keeps the code of a failure with the data ${body || '(none)'}`, () => {
      const reply = makeReply({ status: 500, code: 'X', body: Buffer.from(body) });
      assert.throws(() => readReply('e', reply), { code: 'X', message: 'the request failed: X' });
    });
  }
});
