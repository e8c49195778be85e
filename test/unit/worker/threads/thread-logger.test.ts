import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { threadLogger } from '../../../../src/worker/threads/thread-logger.ts';
import type { LogMessage } from '../../../../src/worker/threads/thread-messages.ts';

function make() {
  const posted: Exclude<LogMessage, Uint8Array>[] = [];
  const logger = threadLogger((message) => {
    assert.ok(!(message instanceof Uint8Array));
    posted.push(structuredClone(message));
  });
  return { posted, logger };
}

describe('threadLogger', () => {
  it('threadLogger: posts log entries to the parent', () => {
    const { posted, logger } = make();
    logger.info('plain');
    logger.child({ a: 1 }).child({ b: 2 }).warn({ c: 3 }, 'with fields');
    assert.deepEqual(posted, [
      { type: 'log', level: 'info', fields: {}, message: 'plain' },
      { type: 'log', level: 'warn', fields: { a: 1, b: 2, c: 3 }, message: 'with fields' },
    ]);
  });

  it('threadLogger: posts errors as text', () => {
    const { posted, logger } = make();
    logger.error({ err: new TypeError('bad') }, 'failed');
    logger.error(new RangeError('alone'));
    const [first, second] = posted.map((message) => message.fields) as {
      err: { type: string; message: string; stack: string };
    }[];
    assert.deepEqual([first?.err.type, first?.err.message], ['TypeError', 'bad']);
    assert.match(first?.err.stack ?? '', /thread-logger\.test/);
    assert.equal(second?.err.type, 'RangeError');
  });

  it('threadLogger: does not throw, whatever the fields contain', () => {
    const { posted, logger } = make();
    logger.info(
      { fn: () => 1, symbol: Symbol('s'), nested: { fn: () => 1 }, proxy: new Proxy({}, {}), big: 1n },
      'x',
    );
    const [message] = posted;
    assert.ok(message !== undefined);
    assert.match(String((message.fields as { fn: string }).fn), /Function/);
  });
});
