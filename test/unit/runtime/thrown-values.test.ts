import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { setupLogging, silentLogger } from '../../../src/core/logging/logging.ts';
import { ReplyError } from '../../../src/core/messages/errors.ts';
import { toError } from '../../../src/core/messages/thrown.ts';
import { threadLogger } from '../../../src/worker/threads/thread-logger.ts';
import { failOnLeftovers } from '../../helpers/leftovers.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { codeOf, makeExecutor } from './fixture.ts';
import { HOSTILE_VALUES } from './hostile-values.ts';

failOnLeftovers();

describe('handlers that throw hostile values', () => {
  for (const [what, value] of Object.entries(HOSTILE_VALUES)) {
    it(`handler that throws a hostile value: fails only its own request: ${what}`, async () => {
      const fail = (): never => {
        throw value;
      };
      const { execute, replies, executor, logged } = makeExecutor({ now: fail, later: async () => fail() });
      execute('now');
      execute('later');
      await turn();
      assert.deepEqual(replies.map(codeOf), ['HANDLER_ERROR', 'HANDLER_ERROR']);
      assert.deepEqual([executor.load, logged.length], [0, 2]);
    });
  }
});

describe('failures of user code around a handler', () => {
  const fail = (): never => {
    throw new Error('planted');
  };

  it('executor: answers when the logger throws', async (t) => {
    const warned = t.mock.method(process, 'emitWarning', () => undefined);
    const { execute, codes, executor } = makeExecutor(
      { throws: fail, unsendable: () => new Map() },
      { logger: { ...silentLogger, error: fail } },
    );
    execute('throws');
    execute('unsendable');
    await turn();
    assert.deepEqual([codes(), executor.load], [['HANDLER_ERROR', 'BAD_REPLY'], 0]);
    assert.equal(warned.mock.callCount(), 2);
  });

  it('executor: answers when the validator throws a hostile value', () => {
    for (const [what, value] of Object.entries({
      ...HOSTILE_VALUES,
      'a SyntaxError': new SyntaxError('x'),
    })) {
      const validate = (): never => {
        throw value;
      };
      const { execute, codes, executor } = makeExecutor({ event: () => 1 }, { validator: { validate } });
      execute('event');
      assert.deepEqual([codes(), executor.load], [['HANDLER_ERROR'], 0], what);
    }
  });

  for (const name of ['message', 'code', 'details', 'headers', 'status']) {
    it(`executor: answers a ReplyError whose ${name} getter throws`, () => {
      const error = Object.defineProperty(new ReplyError(409, 'TAKEN', 'taken'), name, { get: fail });
      const { execute, replies, executor } = makeExecutor({
        event: () => {
          throw error;
        },
      });
      execute('event');
      assert.deepEqual([replies.map(codeOf), executor.load], [['BAD_REPLY'], 0]);
    });
  }

  it('executor: settles once with promises whose own members misbehave', async () => {
    const promise = (own: object): Promise<number> => Object.assign(Promise.resolve(1), own);
    const { execute, codes, executor } = makeExecutor({
      // biome-ignore lint/suspicious/noThenProperty: the member is the point
      throwing: () => promise({ then: fail }),
      // biome-ignore lint/suspicious/noThenProperty: the member is the point
      never: () => promise({ then: () => undefined }),
      // biome-ignore lint/suspicious/noThenProperty: the member is the point
      twice: () => promise({ then: (done: (value: number) => void) => [done(1), done(2)] }),
      constructing: () => Object.defineProperty(Promise.resolve(1), 'constructor', { get: fail }),
    });
    for (const event of ['throwing', 'never', 'twice', 'constructing']) execute(event);
    await turn();
    assert.deepEqual([codes().sort(), executor.load], [['HANDLER_ERROR', 'ok', 'ok', 'ok'], 0]);
  });
});

describe('toError', () => {
  for (const [what, value] of Object.entries(HOSTILE_VALUES)) {
    it(`toError: returns an error that can be read and logged: ${what}`, (t) => {
      const error = toError(value);
      assert.ok(error instanceof Error);
      assert.equal(typeof `${error.name} ${error.message} ${String(error.stack)}`, 'string');
      const logging = setupLogging(tempFolder(scopeOf(t)), { consoleLevel: 'silent' });
      t.after(() => logging.close());
      const { logger } = logging;
      logger.error({ err: error }, 'logged');
      logger.error({ err: value, other: value }, 'logged');
      logger.child({ other: value }).error('logged');
      threadLogger((message) => void structuredClone(message)).error({ err: error, other: value }, 'logged');
      pino(new PassThrough().resume()).error({ err: error }, 'logged');
    });
  }

  it('toError: keeps a readable error and describes other values', () => {
    const error = new TypeError('kept');
    assert.equal(toError(error), error);
    assert.equal(toError('a text').message, 'a text');
    assert.equal(toError({ code: 5 }).message, '{ code: 5 }');
    assert.equal(toError(Object.create(null)).message, '[Object: null prototype] {}');
  });
});
