/** How asynchronous requests end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failure, type ReplyMessage } from '../../../../src/core/messages/message.ts';
import { OUTCOMES, type OutcomeCode } from '../../../../src/core/messages/outcome.ts';
import { endingOf } from '../../../../src/gateway/requests/outcome.ts';

const replied = (status: number, code = ''): ReplyMessage => ({
  ...failure('HANDLER_ERROR', ''),
  status,
  code,
});

describe('outcomes of asynchronous requests', () => {
  it('outcomes: a reply counts, also if it is an error', () => {
    for (const idempotent of [true, false]) {
      assert.equal(endingOf(replied(204), idempotent), 'succeeded');
      assert.equal(endingOf(replied(404), idempotent), 'failed');
      assert.equal(endingOf(replied(409, 'NO_DATA'), idempotent), 'failed');
      assert.equal(endingOf(failure('HANDLER_ERROR', ''), idempotent), 'failed');
    }
  });

  it('outcomes: a request that was not dispatched is tried again, unless it can never run', () => {
    const again = ['NO_ROUTER', 'NO_WORKER', 'QUEUE_FULL', 'BUSY', 'SHUTTING_DOWN'];
    for (const code of Object.keys(OUTCOMES) as OutcomeCode[]) {
      const ending = endingOf(failure(code, '', { dispatched: false }), false);
      assert.equal(ending, again.includes(code) ? 'again' : 'failed', code);
    }
  });

  it('outcomes: a lost reply is unknown, and only an idempotent request runs again', () => {
    for (const code of ['TIMEOUT', 'WORKER_LOST', 'CANCELLED'] as const) {
      assert.equal(endingOf(failure(code, '', { dispatched: true }), false), 'unknown', code);
    }
    assert.equal(endingOf(failure('WORKER_LOST', ''), true), 'again');
    assert.equal(endingOf(failure('TIMEOUT', ''), true), 'failed');
  });
});
