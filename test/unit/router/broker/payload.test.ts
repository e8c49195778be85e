import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RequestMessage } from '../../../../src/core/messages/message.ts';
import { detached, Slab } from '../../../../src/router/broker/payload.ts';

it('payloads: a message that is queued or runs for long keeps its window, upload and progress', () => {
  const plain: RequestMessage = {
    eventName: 'reports.make',
    body: Buffer.from('{"pages":20}'),
    timeLeft: 1000,
    idempotent: true,
    requestId: 'r1',
    extras: Buffer.from('{"depth":1}'),
  };
  const messages: RequestMessage[] = [plain, { ...plain, progress: true }];
  messages.push(
    { ...plain, window: 100, upload: true },
    { ...plain, window: 100, upload: true, progress: true },
  );
  for (const message of messages)
    assert.deepEqual(detached(message, plain.eventName, new Slab(), 0), message);
});
