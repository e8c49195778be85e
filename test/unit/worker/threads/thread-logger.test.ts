import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { threadLogger } from '../../../../src/worker/threads/thread-logger.ts';
import type { LogMessage } from '../../../../src/worker/threads/thread-messages.ts';

function make() {
  const said: Exclude<LogMessage, Uint8Array>[] = [];
  const logger = threadLogger((message) => {
    assert.ok(!(message instanceof Uint8Array));
    said.push(structuredClone(message));
  });
  return { said, logger };
}

describe('the logger of a thread', () => {
  it('sends what is logged to the parent', () => {
    const { said, logger } = make();
    logger.info('plain');
    logger.child({ a: 1 }).child({ b: 2 }).warn({ c: 3 }, 'with fields');
    assert.deepEqual(said, [
      { type: 'log', level: 'info', fields: {}, message: 'plain' },
      { type: 'log', level: 'warn', fields: { a: 1, b: 2, c: 3 }, message: 'with fields' },
    ]);
  });

  it('sends errors as text', () => {
    const { said, logger } = make();
    logger.error({ err: new TypeError('bad') }, 'failed');
    logger.error(new RangeError('alone'));
    const [first, second] = said.map((message) => message.fields) as {
      err: { type: string; message: string; stack: string };
    }[];
    assert.deepEqual([first?.err.type, first?.err.message], ['TypeError', 'bad']);
    assert.match(first?.err.stack ?? '', /thread-logger\.test/);
    assert.equal(second?.err.type, 'RangeError');
  });

  it('never fails whoever logs, whatever the fields are', () => {
    const { said, logger } = make();
    logger.info(
      { fn: () => 1, symbol: Symbol('s'), nested: { fn: () => 1 }, proxy: new Proxy({}, {}), big: 1n },
      'x',
    );
    const [message] = said;
    assert.ok(message !== undefined);
    assert.match(String((message.fields as { fn: string }).fn), /Function/);
  });
});
