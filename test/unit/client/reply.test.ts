import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readReply } from '../../../src/client/reply.ts';
import { ZeroMQClientError, ZeroMQTimeoutError } from '../../../src/core/messages/errors.ts';
import { failure } from '../../../src/core/messages/message.ts';
import { makeReply } from '../wire/messages.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('a reply for a caller', () => {
  it('has data, status and headers', () => {
    const extras = json({ headers: { location: '/x' }, timing: { queue: 1 } });
    assert.deepEqual(readReply('e', makeReply({ status: 201, extras })), {
      eventName: 'e',
      eventData: { b: 2 },
      status: 201,
      headers: { location: '/x' },
    });
  });

  it('has bytes where its type says that it is no JSON', () => {
    const body = Buffer.from('plain');
    assert.equal(readReply('e', makeReply({ contentType: 'text/plain', body })).eventData, body);
    assert.deepEqual(readReply('e', makeReply({ contentType: 'application/json' })).eventData, { b: 2 });
  });

  for (const extras of ['{"broken', 'null', '5', '{"headers":5}', '{"headers":null}', '{}']) {
    it(`has no headers when its extras are ${extras}`, () => {
      assert.deepEqual(readReply('e', makeReply({ extras: Buffer.from(extras) })).headers, {});
    });
  }

  it('that is no JSON is a BAD_REPLY', () => {
    const reply = makeReply({ body: Buffer.from('{"broken') });
    assert.throws(() => readReply('e', reply), {
      constructor: ZeroMQClientError,
      code: 'BAD_REPLY',
      dispatched: true,
    });
  });

  it('that is a failure is thrown, as the class that stands for it', () => {
    assert.throws(() => readReply('e', failure('TIMEOUT', 'too slow')), {
      constructor: ZeroMQTimeoutError,
      code: 'TIMEOUT',
      message: 'too slow',
      dispatched: true,
      status: 504,
    });
  });

  it('that is an error of the worker keeps its code, status and details', () => {
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
    it(`that is a failure with the data ${body || '(none)'} still has its code`, () => {
      const reply = makeReply({ status: 500, code: 'X', body: Buffer.from(body) });
      assert.throws(() => readReply('e', reply), { code: 'X', message: 'the request failed with X' });
    });
  }
});
