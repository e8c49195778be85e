/** The log of commands on a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeFrame } from '../../../../src/cli/dev/code-frame.ts';
import { placeOf } from '../../../../src/cli/dev/load-error.ts';
import { painter } from '../../../../src/cli/terminal/colours.ts';
import { terminalLog, withQuietInfo } from '../../../../src/cli/terminal/terminal-log.ts';
import type { LogLevel } from '../../../../src/core/logging/logging.ts';

/** As `dev` shows errors. */
const frameOf = (stack: string): readonly string[] => {
  const place = placeOf(stack);
  return place === undefined ? [] : codeFrame(place, painter());
};

function logAt(level: LogLevel | 'silent') {
  const lines: string[] = [];
  return {
    lines,
    log: terminalLog({ write: (line) => void lines.push(line), paint: painter(), level, frameOf }),
  };
}

test('terminal log: a line has level, message and the fields of the caller', () => {
  const { lines, log } = logAt('info');
  const logger = log.logger.child({ node: 'worker', event: 'shop.get' });
  logger.info({ stock: 3, requestId: undefined }, 'sold');
  logger.warn('low stock');
  logger.debug('not shown');
  assert.deepEqual(lines, ['info sold (event: shop.get, stock: 3)', 'warn low stock (event: shop.get)']);
});

test('terminal log: the level can be changed, also of existing loggers', () => {
  const { lines, log } = logAt('silent');
  const logger = log.logger.child({});
  logger.fatal('a');
  log.consoleLevel = 'debug';
  logger.debug('b');
  assert.deepEqual(
    [lines, logger.isLevelEnabled('trace'), logger.isLevelEnabled('debug')],
    [['debug b'], false, true],
  );
});

test('terminal log: an error is followed by its stack and the code of the user', () => {
  const { lines, log } = logAt('info');
  log.logger.error({ err: new RangeError('no stock') }, 'a handler failed');
  log.logger.error(new TypeError('alone'));
  assert.equal(lines[0], 'error a handler failed');
  assert.equal(lines[1], '  RangeError: no stock');
  assert.match(lines[2] ?? '', /^ {6}at .*terminal-log\.test\.ts/);
  assert.ok(
    lines.some((line) => /^ {2}> \d+ \|.*new RangeError\('no stock'\)/.test(line)),
    lines.join('\n'),
  );
  assert.ok(lines.includes('  TypeError: alone'));
});

test('terminal log: a part that repeats what the command prints logs info at level debug', () => {
  const { lines, log } = logAt('info');
  const quiet = withQuietInfo(log.logger).child({ node: 'gateway' });
  quiet.info('the document has changed');
  quiet.warn('look');
  log.consoleLevel = 'debug';
  quiet.info('now');
  assert.deepEqual(lines, ['warn look', 'debug now']);
});
