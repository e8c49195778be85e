/** At which level facts of nodes are logged. */
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

describe('facts of nodes', () => {
  it('are logged at info', () => {
    const { lines, logger } = makeLogger();
    logFact(logger, { id: 'a' }, 'router started');
    assert.deepEqual(lines, [['info', { id: 'a' }, 'router started']]);
  });

  it('are logged at debug where a command asks for it, by children of its logger too; other lines keep their level', () => {
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
