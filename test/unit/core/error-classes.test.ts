import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  errorOfOutcome,
  ZeroMQClientError,
  ZeroMQConnectionError,
  ZeroMQMalformedMessage,
  ZeroMQTimeoutError,
} from '../../../src/core/messages/errors.ts';
import { OUTCOMES, type OutcomeCode } from '../../../src/core/messages/outcome.ts';

/** Error classes for which retry loops of the Python original pause, and the others. */
const CLASSES: Record<OutcomeCode, unknown> = {
  NO_ROUTER: ZeroMQConnectionError,
  NO_WORKER: ZeroMQConnectionError,
  QUEUE_FULL: ZeroMQConnectionError,
  BUSY: ZeroMQConnectionError,
  SHUTTING_DOWN: ZeroMQConnectionError,
  WORKER_LOST: ZeroMQConnectionError,
  EXPIRED: ZeroMQTimeoutError,
  TIMEOUT: ZeroMQTimeoutError,
  MALFORMED_MESSAGE: ZeroMQMalformedMessage,
  INVALID_REQUEST: ZeroMQClientError,
  NOT_PERMITTED: ZeroMQClientError,
  HANDLER_ERROR: ZeroMQClientError,
  BAD_REPLY: ZeroMQClientError,
  CANCELLED: ZeroMQClientError,
  NO_HANDLER: ZeroMQClientError,
  LOOP: ZeroMQClientError,
  CALLS_UNSUPPORTED: ZeroMQClientError,
  STREAMS_UNSUPPORTED: ZeroMQClientError,
};

const page = readFileSync(new URL('../../../docs/coming-from-python.md', import.meta.url), 'utf8');

describe('error classes of outcomes', () => {
  for (const code of Object.keys(OUTCOMES) as OutcomeCode[]) {
    it(`${code}: has the error class that coming-from-python.md documents`, () => {
      const error = errorOfOutcome(code, 'a message');
      assert.equal(error.constructor, CLASSES[code]);
      const row = page.split('\n').find((line) => line.startsWith('| `') && line.includes(`\`${code}\``));
      // The cell names the class of a lost connection after that of the code.
      assert.equal(row?.split('|')[2]?.split(';')[0]?.trim(), `\`${error.name}\``);
    });
  }

  it('codes of workers: become a ZeroMQClientError', () => {
    assert.equal(errorOfOutcome('TAKEN', 'x').constructor, ZeroMQClientError);
  });
});
