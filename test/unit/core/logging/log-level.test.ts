/** Changes of the console level while loggers derived from it are in use. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { LevelGate, LevelSwitch } from '../../../../src/core/logging/log-level.ts';
import { consoleLogging, setupLogging } from '../../../../src/core/logging/logging.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** Collects what is written to standard error. */
function errors(t: TestContext): { text: string } {
  const seen = { text: '' };
  t.mock.method(process.stderr, 'write', (text: string | Uint8Array, ...rest: unknown[]) => {
    seen.text += String(text);
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    done?.();
    return true;
  });
  return seen;
}

describe('LevelSwitch', () => {
  it('LevelSwitch: changes all loggers, including those added later', () => {
    const levels = new LevelSwitch('info');
    const [one, two] = [{ level: '' }, { level: '' }];
    levels.add(one);
    levels.set('debug');
    levels.add(two);
    assert.deepEqual([one.level, two.level, levels.level], ['debug', 'debug', 'debug']);
  });
});

describe('LevelGate', () => {
  it('LevelGate: passes lines of its level and above', () => {
    const lines: string[] = [];
    const gate = new LevelGate({ write: (line) => lines.push(line) }, 'warn');
    const write = (level: number, line: string) => {
      gate.lastLevel = level;
      gate.write(line);
    };
    write(30, 'info');
    write(40, 'warn');
    gate.level = 'silent';
    write(60, 'fatal');
    gate.level = 'trace';
    write(10, 'trace');
    assert.deepEqual(lines, ['warn', 'trace']);
  });
});

describe('console level', () => {
  it('console level: a change applies to existing child loggers', () => {
    const log = consoleLogging('info');
    const child = log.logger.child({ node: 'router' });
    assert.equal(child.isLevelEnabled('debug'), false);
    log.consoleLevel = 'debug';
    assert.equal(child.isLevelEnabled('debug'), true);
    assert.equal(log.logger.child({ node: 'later' }).isLevelEnabled('debug'), true);
    log.consoleLevel = 'silent';
    assert.equal(child.isLevelEnabled('fatal'), false);
    assert.equal(log.consoleLevel, 'silent');
  });

  it('console level: changes independently of the level of the file', async (t) => {
    const seen = errors(t);
    const log = setupLogging(tempFolder(t), { consoleLevel: 'silent', console: 'stderr', pretty: false });
    const child = log.logger.child({ node: 'router' });
    child.debug('before');
    log.consoleLevel = 'trace';
    child.trace('between');
    log.consoleLevel = 'warn';
    child.debug('after');
    await log.close();
    const file = readFileSync(log.file, 'utf8');
    assert.match(seen.text, /between/);
    assert.doesNotMatch(seen.text, /before|after/);
    assert.match(file, /before/);
    assert.match(file, /after/);
    assert.doesNotMatch(file, /between/);
  });
});
