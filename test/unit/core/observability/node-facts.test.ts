/** The level of lifecycle messages. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Logger, silentLogger } from '../../../../src/core/logging/logging.ts';
import { logFact, withQuietFacts } from '../../../../src/core/observability/node-facts.ts';

function makeLogger(): { lines: unknown[]; logger: Logger } {
  const lines: unknown[] = [];
  const log =
    (level: string) =>
    (...args: unknown[]): void =>
      void lines.push([level, ...args]);
  const logger: Logger = { ...silentLogger, debug: log('debug'), info: log('info'), child: () => logger };
  return { lines, logger };
}

describe('lifecycle messages of nodes', () => {
  it('lifecycle messages of nodes: are logged at INFO', () => {
    const { lines, logger } = makeLogger();
    logFact(logger, { id: 'a' }, 'router started');
    assert.deepEqual(lines, [['info', { id: 'a' }, 'router started']]);
  });

  it('lifecycle messages of nodes: are logged at DEBUG for commands, also by child loggers', () => {
    const { lines, logger } = makeLogger();
    const quiet = withQuietFacts(logger);
    const child = quiet.child({ node: 'router' }).child({ thread: 1 });
    logFact(quiet, {}, 'one');
    logFact(child, {}, 'two');
    child.info('three');
    assert.deepEqual(lines, [
      ['debug', {}, 'one'],
      ['debug', {}, 'two'],
      ['info', 'three'],
    ]);
  });
});
